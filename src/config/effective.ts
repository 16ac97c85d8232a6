import { isAbsolute, join, resolve } from 'node:path';
import type { HarnessConfig, ServiceConfig } from './config';
import type { ConfigFile, ServiceFile } from './file-schema';
import { toDefinition } from './invariant-schema';
import type { Overrides } from './overrides';
import { startOrder } from './references';

export interface Places {
  /** The file it came from; null for the built-in configuration. */
  readonly file: string | null;
  /** What relative paths of the file are relative to. */
  readonly base: string;
  readonly cwd: string;
  readonly packageRoot: string;
}

/** Puts file and overrides together: flag > environment > file. Paths become absolute, the result is frozen. */
export function effectiveConfig(file: ConfigFile, overrides: Overrides, places: Places): HarnessConfig {
  const dataDir =
    overrides.dataDir === undefined
      ? // A harness.yaml keeps its data beside itself; the built-in one, where the person stands.
        resolve(places.file === null ? places.cwd : places.base, file.data_dir)
      : resolve(places.cwd, overrides.dataDir);
  const services = file.services;
  const order = startOrder(
    new Map(Object.entries(services).map(([name, service]) => [name, service.depends_on])),
  );
  const { address, namespace, ...connection } = overrides.temporal;
  return deepFreeze<HarnessConfig>({
    file: places.file,
    dataDir,
    web: {
      host: file.web.host,
      port: overrides.webPort ?? file.web.port,
      ...(overrides.token === undefined ? {} : { token: overrides.token }),
    },
    temporal: {
      address: address ?? (file.temporal.address === '' ? null : file.temporal.address),
      namespace: namespace ?? file.temporal.namespace,
      embeddedPort: overrides.temporalPort ?? 7_233,
      cliPath: overrides.cliPath ?? null,
      ...connection,
    },
    restartOwn: file.run.restart_own,
    services: order.flatMap((name) => {
      const service = services[name];
      return service ? [toService(name, service, places.base, dataDir)] : [];
    }),
    invariants: file.invariants.map(toDefinition),
    monitor: {
      intervalMs: file.monitor.interval,
      concurrency: file.monitor.concurrency,
      cooldownMs: file.monitor.cooldown,
      ...(overrides.monitorPort === undefined ? {} : { port: overrides.monitorPort }),
    },
    analyst: {
      model: file.analyst.model,
      effort: file.analyst.effort,
      openByMs: file.analyst.open_by,
      forceOpenAfterMs: file.analyst.force_open_after,
    },
    agent: toAgent(file.agent),
    claude: overrides.claude,
    logLevel: overrides.logLevel ?? 'info',
    packageRoot: places.packageRoot,
  });
}

function toAgent({ retry_after, budget, ...agent }: ConfigFile['agent']): HarnessConfig['agent'] {
  const { turns, usd, tokens } = budget;
  return {
    ...agent,
    retryAfterMs: retry_after,
    budget: { turns, usd, tokens, wallClockMs: budget.wall_clock, usdPerDay: budget.usd_per_day },
  };
}

function toService(name: string, service: ServiceFile, base: string, dataDir: string): ServiceConfig {
  const expand = (value: string): string => value.replaceAll('${data_dir}', dataDir);
  const absolute = (value: string): string => {
    const expanded = expand(value);
    return isAbsolute(expanded) ? expanded : join(base, expanded);
  };
  return {
    name,
    description: service.description,
    command: service.command ? toCommand(service.command.map(expand), base) : null,
    cwd: absolute(service.cwd),
    env: Object.fromEntries(Object.entries(service.env).map(([key, value]) => [key, expand(value)])),
    ready: { url: service.ready.url ?? null, timeoutMs: service.ready.timeout },
    stopTimeoutMs: service.stop_timeout,
    restartLimit: { relapses: service.restart_limit.relapses, withinMs: service.restart_limit.within },
    metricsUrl: service.metrics_url ?? null,
    files: { read: service.files.read.map(absolute), edit: service.files.edit.map(absolute) },
    dependsOn: service.depends_on,
  };
}

/** A program given by a relative path is relative to the file, one given by name is found on PATH. */
function toCommand(words: readonly string[], base: string): string[] {
  const [program = '', ...args] = words;
  return [program.includes('/') ? resolve(base, program) : program, ...args];
}

function deepFreeze<T>(value: T): T {
  // Certificates are byte arrays, which cannot be frozen.
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) deepFreeze<unknown>(inner);
  return Object.freeze(value);
}
