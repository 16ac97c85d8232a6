import { isNativeError } from 'node:util/types';

/** What an unknown thrown value says, also when it comes from another realm (`instanceof` then says no). */
export function errorText(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
