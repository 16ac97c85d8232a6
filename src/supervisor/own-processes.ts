import { join } from 'node:path';
import type { HarnessConfig } from '../config/config';
import type { Environment } from '../config/environment';
import { probeVariables, serviceVariables } from '../config/known-secrets';

export const OWN_PROCESSES = ['monitor', 'agent', 'web'] as const;
type OwnProcessName = (typeof OWN_PROCESSES)[number];

/** How to start one of the harness's own processes. */
export interface OwnProcess {
  readonly name: OwnProcessName;
  readonly command: readonly string[];
  /** The whole environment of the process. */
  readonly env: Readonly<Record<string, string>>;
}

export interface OwnProcessPlan {
  readonly config: HarnessConfig;
  readonly environment: Environment;
  readonly temporalAddress: string;
  readonly webPort: number;
  readonly monitorPort: number;
  readonly token: string;
}

const MODEL_VARIABLES = ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL'];
/** Where telemetry is and how to be let in; only what checks and reads evidence needs it. */
const TELEMETRY_VARIABLE =
  /^(PROMETHEUS_URL|LOKI_URL|LOKI_TENANT|(PROMETHEUS|LOKI)_(USERNAME|PASSWORD|TOKEN))$/;
const NOT_FOR_CHILDREN = new Set(['TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'TEMPORAL_CLI_PATH']);

/** Commands and environments of monitor, agent and web: each gets what it needs, keys and tokens nowhere else. */
export function planOwnProcesses(plan: OwnProcessPlan): readonly OwnProcess[] {
  const shared = sharedEnvironment(plan);
  const inConfiguration = new Set([...probeVariables(plan.config), ...serviceVariables(plan.config)]);
  const worker = {
    ...select(
      plan.environment,
      (name) => MODEL_VARIABLES.includes(name) || TELEMETRY_VARIABLE.test(name) || inConfiguration.has(name),
    ),
    ...shared,
  };
  const own = {
    monitor: { ...worker, HARNESS_MONITOR_PORT: String(plan.monitorPort) },
    agent: worker,
    web: { ...shared, HARNESS_TOKEN: plan.token },
  } satisfies Record<OwnProcessName, Record<string, string>>;
  const main = join(plan.config.packageRoot, 'dist', 'cli', 'main.js');
  return OWN_PROCESSES.map((name) => ({ name, command: [process.execPath, main, name], env: own[name] }));
}

function sharedEnvironment({ config, environment, temporalAddress, webPort }: OwnProcessPlan) {
  const isPassed = (name: string): boolean => {
    if (['PATH', 'HOME', 'LANG'].includes(name)) return true;
    // TLS and keys belong to a Temporal of the person's own; our server on loopback speaks neither.
    const isOurs = config.temporal.address === null;
    return name.startsWith('TEMPORAL_') && !NOT_FOR_CHILDREN.has(name) && !isOurs;
  };
  return {
    ...select(environment, isPassed),
    ...(config.file === null ? {} : { HARNESS_CONFIG: config.file }),
    HARNESS_DATA_DIR: config.dataDir,
    HARNESS_WEB_PORT: String(webPort),
    HARNESS_LOG_LEVEL: config.logLevel,
    TEMPORAL_ADDRESS: temporalAddress,
    TEMPORAL_NAMESPACE: config.temporal.namespace,
  };
}

function select(environment: Environment, isWanted: (name: string) => boolean): Record<string, string> {
  const chosen: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && isWanted(name)) chosen[name] = value;
  }
  return chosen;
}
