/** A text in two parts, so that it can be told which of them changed. */
interface Fingerprint {
  readonly files: string;
  readonly process: string;
}

export function joinFingerprint({ files, process }: Fingerprint): string {
  return `${files}.${process}`;
}

/** Whether two fingerprints differ in the files alone. */
export function haveOnlyFilesChanged(before: string, after: string): boolean {
  return before !== after && processOf(before) === processOf(after);
}

function processOf(fingerprint: string): string {
  return fingerprint.slice(fingerprint.indexOf('.') + 1);
}
