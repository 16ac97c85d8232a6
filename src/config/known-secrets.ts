import type { HarnessConfig } from './config';
import type { Environment } from './environment';
import { secretNames } from './secrets';

const LOOKS_SECRET = /(key|token|secret|password|passwd|credential|auth)/i;
const MIN_LENGTH = 8;

/** Variables that checks send as headers (`${env:NAME}`): whoever probes needs them. */
export function probeVariables({ invariants }: Pick<HarnessConfig, 'invariants'>): string[] {
  return invariants.flatMap(({ request }) => Object.values(request.headers).flatMap(secretNames));
}

/** Values of the environment that must never be shown: under a name that says so, or sent with a check. */
export function knownSecrets(
  env: Environment,
  config: Pick<HarnessConfig, 'invariants'>,
): { readonly name: string; readonly value: string }[] {
  const sent = new Set(probeVariables(config));
  return Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && value.length >= MIN_LENGTH && (sent.has(name) || LOOKS_SECRET.test(name))
      ? [{ name, value }]
      : [],
  );
}
