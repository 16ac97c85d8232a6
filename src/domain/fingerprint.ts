/** A text in two parts, so that it can be told which of them changed. */
interface Fingerprint {
  readonly files: string;
  /** Empty: the supervisor was away, so it is not known. */
  readonly process: string;
}

export function joinFingerprint({ files, process }: Fingerprint): string {
  return `${files}.${process}`;
}

export function haveFilesChanged(before: string, after: string): boolean {
  return filesOf(before) !== filesOf(after);
}

/** The process itself, or who owns its port; what is not known has not changed. */
export function hasProcessChanged(before: string, after: string): boolean {
  const [was, is] = [split(before).process, split(after).process];
  return was !== '' && is !== '' && was !== is;
}

/** Whether the later one only adds what was not known of the same state before. */
export function isCompletedBy(before: string | null, after: string): boolean {
  if (before === null) return true;
  return split(before).process === '' && !haveFilesChanged(before, after);
}

export function filesOf(fingerprint: string): string {
  return split(fingerprint).files;
}

function split(fingerprint: string): Fingerprint {
  const [files = '', process = ''] = fingerprint.split('.');
  return { files, process };
}
