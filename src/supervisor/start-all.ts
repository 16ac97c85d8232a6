import { setImmediate as nextTurn } from 'node:timers/promises';
import { writeEndpoints } from '../client/endpoints';
import { ensureSearchAttributes } from '../client/search-attributes';
import { connectTemporal, resolveTemporalTarget } from '../client/temporal';
import type { HarnessConfig } from '../config/config';
import { ConfigError } from '../config/config';
import { paths } from '../config/paths';
import type { ComponentSpec } from './component';
import { prepareEmbeddedTemporal, restartBackoffMs } from './embedded-temporal';
import { freePort } from './free-port';
import type { OwnProcess } from './own-processes';
import { planOwnProcesses } from './own-processes';
import type { RunOptions } from './run-options';
import type { ReadyFacts } from './run-output';
import { brainFacts, webUrl } from './run-output';
import { writeRunToken } from './run-token';
import type { StartReport, Supervisor } from './supervisor';

export interface StartContext {
  readonly config: HarnessConfig;
  readonly options: Pick<RunOptions, 'service' | 'abandonOpenTickets' | 'environment' | 'startedAt'>;
  readonly supervisor: Supervisor;
  readonly runId: string;
  readonly say: (line: string) => void;
  /** Once aborted, nothing more is started. */
  readonly signal: AbortSignal;
}

interface ReachedTemporal {
  readonly address: string;
  readonly uiUrl: string | null;
}

const CONNECT_TIMEOUT_MS = 5_000;
const READY_TIMEOUT_MS = 30_000;

/**
 * Starts Temporal, then services, monitor, agent and web at the same time. Resolves when all are ready; a service that
 * is not is said and listed. Rejects when Temporal or one of our own processes fails, or an executable is missing.
 */
export async function startAll(context: StartContext): Promise<ReadyFacts> {
  const { config, supervisor, signal, options } = context;
  const temporal = await reachTemporal(context);
  signal.throwIfAborted();
  const webPort = config.web.port === 0 ? await freePort(config.web.host) : config.web.port;
  const monitorPort = await freePort();
  const token = await writeRunToken(config.dataDir, config.web.token);
  const url = webUrl(config.web.host, webPort);
  await writeEndpoints(config.dataDir, {
    runId: context.runId,
    supervisorPid: process.pid,
    startedAt: new Date(options.startedAt).toISOString(),
    temporalAddress: temporal.address,
    temporalNamespace: config.temporal.namespace,
    temporalUiUrl: temporal.uiUrl,
    webUrl: url,
    controlSocket: paths.controlSocket(config.dataDir),
    monitorUrl: `http://127.0.0.1:${String(monitorPort)}`,
  });
  signal.throwIfAborted();
  const services = options.service ? supervisor.startServices() : Promise.resolve([]);
  // What starts first stops last: the workers must not see services end on our order.
  await nextTurn();
  const own = planOwnProcesses({
    config,
    environment: options.environment,
    temporalAddress: temporal.address,
    webPort,
    monitorPort,
    token,
  });
  const [notReady] = await Promise.all([
    services.then((reports) => judgeServices(reports, context.say)),
    ...own.map((one) => supervisor.startComponent(toComponent(one, config))),
  ]);
  return {
    tookMs: Date.now() - options.startedAt,
    webUrl: url,
    temporalAddress: temporal.address,
    temporalNamespace: config.temporal.namespace,
    temporalUiUrl: temporal.uiUrl,
    dataDir: config.dataDir,
    ...brainFacts(config),
    notReady,
  };
}

async function reachTemporal(context: StartContext): Promise<ReachedTemporal> {
  const { config, supervisor, options, say, signal } = context;
  if (config.temporal.address !== null) {
    await checkTemporal(resolveTemporalTarget(config, null));
    return { address: config.temporal.address, uiUrl: null };
  }
  const embedded = await prepareEmbeddedTemporal({
    config,
    environment: options.environment,
    abandonOpenTickets: options.abandonOpenTickets,
    say,
    signal,
  });
  signal.throwIfAborted();
  await supervisor.startComponent(embedded.component);
  signal.throwIfAborted();
  await checkTemporal({ address: embedded.address, namespace: config.temporal.namespace });
  return { address: embedded.address, uiUrl: embedded.uiUrl };
}

async function checkTemporal(target: Parameters<typeof connectTemporal>[0]): Promise<void> {
  const access = await connectTemporal(target, { timeoutMs: CONNECT_TIMEOUT_MS });
  try {
    await ensureSearchAttributes(access);
  } finally {
    await access.close();
  }
}

function toComponent(own: OwnProcess, config: HarnessConfig): ComponentSpec {
  return {
    ...own,
    cwd: process.cwd(),
    ready: { kind: 'message' },
    readyTimeoutMs: READY_TIMEOUT_MS,
    // The worker's own grace for running activities is 5 s.
    stopTimeoutMs: own.name === 'web' ? 2_000 : 6_000,
    ...(config.restartOwn ? { restart: { backoffMs: restartBackoffMs } } : {}),
  };
}

/** Says what did not start; returns the names. Throws ConfigError when an executable is missing. */
function judgeServices(reports: readonly StartReport[], say: (line: string) => void): readonly string[] {
  const notReady: string[] = [];
  for (const report of reports) {
    if (report.kind === 'skipped') {
      say(`service ${report.service} is not started: ${report.reason}`);
      continue;
    }
    const { outcome, message, lastLines } = report.result;
    if (report.missingExecutable) throw new ConfigError(`service ${report.service} cannot start: ${message}`);
    if (outcome === 'performed' || outcome === 'noop') continue;
    notReady.push(report.service);
    say(`!!! service ${report.service} did not start: ${message}`);
    for (const line of lastLines) say(`    ${line}`);
  }
  return notReady;
}
