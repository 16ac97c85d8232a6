/**
 * `ENOENT` and the like of a system error; null without one. Not by `instanceof`: an error of Node's own modules may come
 * from another realm (a test's sandbox) and is then no instance of this realm's Error.
 */
export function errorCode(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}
