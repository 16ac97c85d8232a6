import type { HarnessConfig } from '../config/config';
import type { Environment } from '../config/environment';
import type { ComponentSpec } from './component';
import { endStaleTemporal } from './stale-temporal';
import { acquireTemporalCli, defaultCacheDir } from './temporal-cli';
import { temporalAnswers, temporalServes } from './temporal-ready';
import { planTemporalServer } from './temporal-server';

export interface EmbeddedTemporal {
  readonly address: string;
  readonly uiUrl: string;
  readonly component: ComponentSpec;
}

const READY_TIMEOUT_MS = 30_000;
const STOP_TIMEOUT_MS = 3_000;

/** A hung server is killed after 15 to 25 s. */
const LIVENESS = { everyMs: 2_000, timeoutMs: 5_000, silentMs: 15_000 };

/** 0.5 s, doubling to 10 s. */
export function restartBackoffMs(attempt: number): number {
  return Math.min(500 * 2 ** (attempt - 1), 10_000);
}

/**
 * Finds the executable, ends a server left behind, chooses ports and file. The caller holds the data directory's lock
 * and starts the component. Throws ConfigError, TemporalCliMissing, or the signal's reason.
 */
export async function prepareEmbeddedTemporal(options: {
  readonly config: HarnessConfig;
  readonly environment: Environment;
  readonly abandonOpenTickets: boolean;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<EmbeddedTemporal> {
  const { config, environment, say, signal, abandonOpenTickets } = options;
  const searchPath = environment['PATH'] ?? '';
  const cli = await acquireTemporalCli({
    cliPath: config.temporal.cliPath,
    searchPath,
    cacheDir: defaultCacheDir(environment['XDG_CACHE_HOME']),
    say,
    signal,
  });
  await endStaleTemporal(config.dataDir, say);
  const launch = await planTemporalServer({
    cli,
    dataDir: config.dataDir,
    namespace: config.temporal.namespace,
    askedPort: config.temporal.embeddedPort,
    abandonOpenTickets,
    searchPath,
    say,
  });
  const target = { address: launch.address, namespace: config.temporal.namespace };
  const home = environment['HOME'];
  return {
    address: launch.address,
    uiUrl: launch.uiUrl,
    component: {
      name: 'temporal',
      command: launch.command,
      cwd: config.dataDir,
      env: { PATH: searchPath, ...(home === undefined ? {} : { HOME: home }) },
      ready: { kind: 'probe', probe: () => temporalServes(target) },
      readyTimeoutMs: READY_TIMEOUT_MS,
      stopTimeoutMs: STOP_TIMEOUT_MS,
      liveness: { ...LIVENESS, probe: (timeoutMs) => temporalAnswers(target, timeoutMs) },
      restart: { backoffMs: restartBackoffMs },
    },
  };
}
