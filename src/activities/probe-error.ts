import { isNativeError } from 'node:util/types';

/** This machine ran out of what a probe needs: says nothing about the service that was to be probed. */
export class ProbeCouldNotRun extends Error {
  override readonly name = 'ProbeCouldNotRun';
}

const OUT_OF_RESOURCES: ReadonlySet<string> = new Set([
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EADDRNOTAVAIL',
]);

/** The name does not exist, the certificate is not trusted, or the other side speaks something else than the check. */
const BROKEN_CHECK =
  /^(ENOTFOUND|EPROTO|HPE_|ERR_SSL_|ERR_TLS_|ERR_INVALID_|CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** Whether the error tells that the check itself cannot work, rather than that nobody answers. */
export function isBrokenCheck(error: unknown): boolean {
  if (!isNativeError(error)) return false;
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.some(isBrokenCheck);
  return 'code' in error && typeof error.code === 'string' && BROKEN_CHECK.test(error.code);
}

/** An error as one line of data. Throws ProbeCouldNotRun when it is about this machine and not about the target. */
export function describeProbeError(error: unknown): string {
  if (!isNativeError(error)) return String(error);
  // A name with several addresses (localhost) fails with one error per address and an empty message of its own.
  if ('errors' in error && Array.isArray(error.errors) && error.errors.length > 0) {
    return [...new Set(error.errors.map(describeProbeError))].join('; ');
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  if (code !== null && OUT_OF_RESOURCES.has(code)) {
    throw new ProbeCouldNotRun(
      `this machine could not open a connection (${error.message}); raise its limit of open files or probe less at once (monitor.concurrency)`,
      { cause: error },
    );
  }
  return error.message || code || error.name;
}
