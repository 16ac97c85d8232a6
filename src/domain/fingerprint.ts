/** A text in two parts, so that it can be told which of them changed. */
interface Fingerprint {
  readonly files: string;
  readonly process: string;
}

export function joinFingerprint({ files, process }: Fingerprint): string {
  return `${files}.${process}`;
}

export function haveFilesChanged(before: string, after: string): boolean {
  return filesOf(before) !== filesOf(after);
}

/** The process itself, or who owns its port. */
export function hasProcessChanged(before: string, after: string): boolean {
  return split(before).process !== split(after).process;
}

export function filesOf(fingerprint: string): string {
  return split(fingerprint).files;
}

function split(fingerprint: string): Fingerprint {
  const [files = '', process = ''] = fingerprint.split('.');
  return { files, process };
}
