import type { HarnessConfig, ServiceConfig } from '../config/config';
import { baseEnvironment, readEnvironment } from '../config/environment';
import { paths } from '../config/paths';
import type { ProcessHost } from '../config/process-host';
import { resolveSecrets } from '../config/secrets';
import { AlreadyRunning, beginRun } from './begin-run';
import { startControlServer } from './control-server';
import type { ControlServer } from './control-server';
import { DataDirInUse, lockDataDir } from './data-dir-lock';
import type { DataDirLock } from './data-dir-lock';
import { descriptorWriter, prefixedOutput } from './log-output';
import { Supervisor } from './supervisor';

const DEFAULT_SERVICE = 'rate_limiter';
const EXIT_FAILURE = 1;
const EXIT_NOT_FOUND = 4;
const EXIT_BAD_CONFIG = 78;

/**
 * `harness service [name]`: hosts one service in the foreground, with a control socket, until the host's signal aborts.
 * A service that dies is not started again; it waits for an order on the socket. Resolves with the exit code.
 */
export async function hostService(
  config: HarnessConfig,
  name: string | undefined,
  host: ProcessHost,
): Promise<number> {
  const wanted = name ?? DEFAULT_SERVICE;
  const service = config.services.find((candidate) => candidate.name === wanted);
  if (service === undefined) {
    const known = config.services.map((candidate) => candidate.name).join(', ') || 'none';
    host.log.error(`there is no service "${wanted}"; configured: ${known}`);
    return EXIT_NOT_FOUND;
  }
  let lock: DataDirLock | null = null;
  try {
    lock = await lockDataDir(config.dataDir);
    const { runId } = await beginRun(config.dataDir);
    return await serve(config, { ...service, dependsOn: [] }, runId, host);
  } catch (error) {
    if (!(error instanceof AlreadyRunning || error instanceof DataDirInUse)) throw error;
    host.log.error(error.message);
    return EXIT_FAILURE;
  } finally {
    await lock?.release();
  }
}

async function serve(
  config: HarnessConfig,
  service: ServiceConfig,
  runId: string,
  host: ProcessHost,
): Promise<number> {
  const stdout = descriptorWriter(1);
  const supervisor = new Supervisor({
    dataDir: config.dataDir,
    runId,
    services: [service],
    output: prefixedOutput((text) => stdout.write(text), { color: false }),
    baseEnv: baseEnvironment(),
    resolveSecrets: (value) => resolveSecrets(value, readEnvironment()),
  });
  let server: ControlServer | null = null;
  try {
    server = await startControlServer(paths.controlSocket(config.dataDir), supervisor);
    const starting = supervisor.act({ service: service.name, action: 'start', by: 'person' });
    const result = await Promise.race([starting, aborted(host.signal)]);
    if (result?.outcome === 'failed') {
      host.log.error([result.message, ...result.lastLines].join('\n'));
      if (supervisor.isMissingExecutable(service.name)) return EXIT_BAD_CONFIG;
    }
    if (!host.signal.aborted) host.ready();
    await aborted(host.signal);
    return 0;
  } finally {
    await server?.close();
    await supervisor.stopAll();
    await stdout.flush();
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
}
