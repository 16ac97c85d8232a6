import { loadClientConnectConfig } from '@temporalio/envconfig';
import { errorText } from './error-text';
import type { HarnessConfig } from './config';
import type { Environment } from './environment';
import { urlProblem } from './fields';

/** Command line flags that change the configuration; raw texts, checked here. */
export interface ConfigFlags {
  readonly dataDir?: string;
  readonly webPort?: string;
  readonly logLevel?: string;
}

type Connection = Pick<HarnessConfig['temporal'], 'apiKey' | 'tls' | 'metadata'>;

/** What flags and environment say; a missing key leaves the word to the file. */
export interface Overrides {
  readonly dataDir?: string;
  readonly webPort?: number;
  readonly temporalPort?: number;
  readonly monitorPort?: number;
  readonly logLevel?: string;
  readonly cliPath?: string;
  readonly token?: string;
  readonly claude: HarnessConfig['claude'];
  readonly temporal: Connection & { readonly address?: string; readonly namespace?: string };
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const MIN_TOKEN_LENGTH = 16;
const ANTHROPIC_URL = 'https://api.anthropic.com';
/** Without one of these no profile file is read: one for another purpose must not redirect the harness. */
const TEMPORAL_CONNECTION =
  /^TEMPORAL_(ADDRESS|NAMESPACE|API_KEY|TLS|TLS_.+|GRPC_META_.+|PROFILE|CONFIG_FILE)$/;

/** Reads flags and environment; each problem says which of the two it is about. */
export function readOverrides(
  flags: ConfigFlags,
  env: Environment,
): { overrides: Overrides; problems: string[] } {
  const problems: string[] = [];
  const pick = (flag: string | undefined, flagName: string, variable: string) => {
    if (flag !== undefined) return { value: flag, name: flagName };
    const value = env[variable];
    return value === undefined || value === '' ? null : { value, name: variable };
  };
  const port = (source: { value: string; name: string } | null): number | undefined => {
    if (source === null) return undefined;
    const value = Number(source.value);
    if (/^\d{1,5}$/.test(source.value) && value <= 65_535) return value;
    problems.push(
      `${source.name}: expected a port from 0 to 65535 (0 = any free one), got "${source.value}"`,
    );
    return undefined;
  };
  const logLevel = pick(flags.logLevel, '--log-level', 'HARNESS_LOG_LEVEL');
  if (logLevel && !LOG_LEVELS.includes(logLevel.value)) {
    problems.push(`${logLevel.name}: expected one of ${LOG_LEVELS.join(', ')}, got "${logLevel.value}"`);
  }
  const token = pick(undefined, '', 'HARNESS_TOKEN');
  if (token && token.value.length < MIN_TOKEN_LENGTH) {
    problems.push(
      `HARNESS_TOKEN: expected at least ${MIN_TOKEN_LENGTH} characters, got ${token.value.length}; make one with \`openssl rand -hex 24\``,
    );
  }
  const overrides: Overrides = {
    ...defined('dataDir', pick(flags.dataDir, '--data-dir', 'HARNESS_DATA_DIR')?.value),
    ...defined('webPort', port(pick(flags.webPort, '--port', 'HARNESS_WEB_PORT'))),
    ...defined('temporalPort', port(pick(undefined, '', 'HARNESS_TEMPORAL_PORT'))),
    ...defined('monitorPort', port(pick(undefined, '', 'HARNESS_MONITOR_PORT'))),
    ...defined('logLevel', logLevel?.value),
    ...defined('cliPath', pick(undefined, '', 'TEMPORAL_CLI_PATH')?.value),
    ...defined('token', token?.value),
    claude: readClaude(env, problems),
    temporal: temporalOverrides(env, problems),
  };
  return { overrides, problems };
}

/** Key and address of the model; the value of a key is never part of a message. */
function readClaude(env: Environment, problems: string[]): HarnessConfig['claude'] {
  const apiKey = (env['ANTHROPIC_API_KEY'] ?? '').trim();
  if (/[^\x21-\x7e]/.test(apiKey)) {
    problems.push('ANTHROPIC_API_KEY: expected a key of printable ASCII without spaces; copy it again');
  }
  const baseUrl = (env['ANTHROPIC_BASE_URL'] ?? '').trim() || ANTHROPIC_URL;
  const problem = urlProblem(baseUrl, ['http:', 'https:']);
  if (problem !== null) problems.push(`ANTHROPIC_BASE_URL: ${problem}`);
  return { ...(apiKey === '' ? {} : { apiKey }), baseUrl };
}

function temporalOverrides(env: Environment, problems: string[]): Overrides['temporal'] {
  const relevant = Object.entries(env).filter(
    (entry): entry is [string, string] => TEMPORAL_CONNECTION.test(entry[0]) && (entry[1] ?? '') !== '',
  );
  if (relevant.length === 0) return {};
  const usesFile = relevant.some(([name]) => name === 'TEMPORAL_PROFILE' || name === 'TEMPORAL_CONFIG_FILE');
  try {
    const { connectionOptions, namespace } = loadClientConnectConfig({
      disableFile: !usesFile,
      overrideEnvVars: Object.fromEntries(relevant),
    });
    const { address, apiKey, tls, metadata } = connectionOptions;
    const texts = Object.entries(metadata ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    );
    return {
      ...defined('address', address),
      ...defined('namespace', namespace),
      ...defined('apiKey', typeof apiKey === 'string' ? apiKey : undefined),
      ...(tls === undefined || tls === null ? {} : { tls }),
      ...(texts.length === 0 ? {} : { metadata: Object.fromEntries(texts) }),
    };
  } catch (error) {
    const names = relevant.map(([name]) => name).join(', ');
    const message = errorText(error);
    problems.push(`Temporal settings of the environment (${names}) cannot be read: ${message}`);
    return {};
  }
}

/** Leaves an unset key out, as exactOptionalPropertyTypes wants it. */
function defined<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}
