import type { Environment } from './environment';

const LOOKS_SECRET = /(key|token|secret|password|passwd|credential|auth)/i;
const MIN_LENGTH = 8;

/** Values of the environment that must never be shown: long enough to be one, under a name that says so. */
export function knownSecrets(env: Environment): { readonly name: string; readonly value: string }[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= MIN_LENGTH && LOOKS_SECRET.test(name) ? [{ name, value }] : [],
  );
}
