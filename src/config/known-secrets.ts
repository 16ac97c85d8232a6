import type { HarnessConfig, ServiceConfig } from './config';
import type { Environment } from './environment';
import { resolveSecrets, secretNames } from './secrets';

const LOOKS_SECRET = /(key|token|secret|password|passwd|credential|auth)/i;
/** Of a service's own variables, which have other words in them too: `AUTH_MODE`, `KEYCLOAK_URL`. */
const NAMES_SECRET = /(key|token|secret|password|passwd|pass|credentials?)$/i;
/** A path, a URL without a login, a word, a number or an address. */
const ORDINARY = /^(\/.*|https?:\/\/[^@]*|[a-z]+|[\d.:]+)$/i;
/** They change how our own processes run; a service may have them, nobody else. */
const SETS_PROCESSES = /^((HARNESS|TEMPORAL|NODE|LD)_|(PATH|HOME|LANG)$)/;
const MIN_LENGTH = 8;

interface Secret {
  readonly name: string;
  readonly value: string;
}
interface Candidate {
  readonly name: string;
  readonly value: string | undefined;
}

interface WithServices {
  readonly services: readonly Pick<ServiceConfig, 'env'>[];
}

/** Variables that checks send as headers (`${env:NAME}`): whoever probes needs them. */
export function probeVariables({ invariants }: Pick<HarnessConfig, 'invariants'>): string[] {
  return invariants.flatMap(({ request }) => Object.values(request.headers).flatMap(secretNames));
}

/** Variables that services get (`${env:NAME}`): whoever reads what a service says must be able to mask them. */
export function serviceVariables({ services }: WithServices): string[] {
  return services
    .flatMap(({ env }) => Object.values(env).flatMap(secretNames))
    .filter((name) => !SETS_PROCESSES.test(name));
}

/**
 * Values that must never be shown: of the environment, under a name that says so or sent with a check; and what services are
 * given under such a name or from the environment, unless it plainly is no secret.
 */
export function knownSecrets(
  env: Environment,
  config: Pick<HarnessConfig, 'invariants'> & WithServices,
): readonly Secret[] {
  const sent = new Set(probeVariables(config));
  const own = Object.entries(env)
    .filter(([name]) => sent.has(name) || LOOKS_SECRET.test(name))
    .map(([name, value]) => ({ name, value }));
  const given = config.services.flatMap((service) =>
    Object.entries(service.env).flatMap(([name, value]) => secretsIn(name, value, env)),
  );
  return [...own, ...given].flatMap(({ name, value }) =>
    value !== undefined && value.length >= MIN_LENGTH ? [{ name, value }] : [],
  );
}

/** One variable of a service: the whole value and the parts that come from the environment. */
function secretsIn(name: string, value: string, env: Environment): readonly Candidate[] {
  const parts = secretNames(value).map((part) => ({ name: part, value: env[part] }));
  if (!NAMES_SECRET.test(name)) {
    return parts.filter((part) => LOOKS_SECRET.test(part.name) || !ORDINARY.test(part.value ?? ''));
  }
  const isKnown = parts.every((part) => part.value);
  const whole = { name, value: isKnown ? resolveSecrets(value, env) : undefined };
  return [whole, ...parts].filter((part) => !part.value?.startsWith('/'));
}
