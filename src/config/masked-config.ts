import type { HarnessConfig } from './config';
import { soundsSecret } from './problems';

const MASK = '***';

/** The configuration as it may be shown: no tokens, keys or certificates, and no value whose name sounds secret. */
export function maskedConfig(config: HarnessConfig): Record<string, unknown> {
  const { token, ...web } = config.web;
  const { apiKey, tls, metadata, ...temporal } = config.temporal;
  const { apiKey: modelKey, ...claude } = config.claude;
  return {
    ...config,
    web: { ...web, ...(token === undefined ? {} : { token: MASK }) },
    temporal: {
      ...temporal,
      ...(apiKey === undefined ? {} : { apiKey: MASK }),
      ...(tls === undefined ? {} : { tls: typeof tls === 'boolean' ? tls : MASK }),
      ...(metadata === undefined ? {} : { metadata: maskAll(metadata) }),
    },
    claude: { ...claude, ...(modelKey === undefined ? {} : { apiKey: MASK }) },
    services: config.services.map((service) => ({ ...service, env: maskSecret(service.env) })),
    invariants: config.invariants.map((invariant) => ({
      ...invariant,
      request: { ...invariant.request, headers: maskSecret(invariant.request.headers) },
    })),
  };
}

/** A reference to the environment is no secret, and worth seeing. */
function maskSecret(values: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(values, (name, value) =>
    soundsSecret(name) && !/^(\w+ )?\$\{env:\w+\}$/.test(value) ? MASK : value,
  );
}

function maskAll(values: Readonly<Record<string, string>>): Record<string, string> {
  return mapValues(values, () => MASK);
}

function mapValues(
  values: Readonly<Record<string, string>>,
  change: (name: string, value: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(name, value)]));
}
