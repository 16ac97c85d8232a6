import type { HarnessConfig, ServiceConfig } from './config';
import type { Environment } from './environment';
import { hasSecretReference, secretNames } from './secrets';

const LOOKS_SECRET = /(key|token|secret|password|passwd|credential|auth)/i;
const MIN_LENGTH = 8;

interface WithServices {
  readonly services: readonly Pick<ServiceConfig, 'env'>[];
}

/** Variables that checks send as headers (`${env:NAME}`): whoever probes needs them. */
export function probeVariables({ invariants }: Pick<HarnessConfig, 'invariants'>): string[] {
  return invariants.flatMap(({ request }) => Object.values(request.headers).flatMap(secretNames));
}

/** Variables that services get (`${env:NAME}`): whoever reads what a service says must be able to mask them. */
export function serviceVariables({ services }: WithServices): string[] {
  return services.flatMap(({ env }) => Object.values(env).flatMap(secretNames));
}

/**
 * Values that must never be shown: of the environment, under a name that says so or referred to by the configuration; and of
 * the configured environments of services, under a name that says so.
 */
export function knownSecrets(
  env: Environment,
  config: Pick<HarnessConfig, 'invariants'> & WithServices,
): { readonly name: string; readonly value: string }[] {
  const referred = new Set([...probeVariables(config), ...serviceVariables(config)]);
  const inherited = Object.entries(env).filter(([name]) => referred.has(name) || LOOKS_SECRET.test(name));
  const configured = config.services
    .flatMap((service) => Object.entries(service.env))
    .filter(([name, value]) => LOOKS_SECRET.test(name) && !hasSecretReference(value));
  return [...inherited, ...configured].flatMap(([name, value]) =>
    value !== undefined && value.length >= MIN_LENGTH ? [{ name, value }] : [],
  );
}
