import { ConfigError } from './config';
import type { Environment } from './environment';

const REFERENCE = /\$\{env:([^}]*)\}/g;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Whether a configured value refers to the environment. */
export function hasSecretReference(value: string): boolean {
  return value.includes('${env:');
}

/** Names of the environment variables that a configured value refers to. */
export function secretNames(value: string): string[] {
  return [...value.matchAll(REFERENCE)].map((match) => match[1] ?? '');
}

/** Names in `${env:…}` that are not names of environment variables. */
export function badSecretNames(value: string): string[] {
  return secretNames(value).filter((name) => !NAME.test(name));
}

/**
 * Replaces every `${env:NAME}`. To be called where the value is used, so that the secret is never stored.
 * Throws ConfigError when a name is unset or empty.
 */
export function resolveSecrets(value: string, env: Environment): string {
  return value.replace(REFERENCE, (reference, name: string) => {
    const secret = env[name];
    if (secret !== undefined && secret !== '') return secret;
    throw new ConfigError(
      `${reference} needs the environment variable ${name}, which is not set; set it for \`harness run\` and start again`,
    );
  });
}
