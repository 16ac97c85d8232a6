import { appendFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';

import { errorCode, loadOrCreateConfig, watchConfigFile } from './config-file';
import type { ConfigRead, ValidConfig } from './config-file';
import { createMetrics } from './metrics';
import { createRateLimiterServer } from './server';
import { readSettings } from './settings';
import type { Settings } from './settings';
import { StartError } from './start-error';
import { TokenBuckets } from './token-bucket';

export interface RunningService {
  readonly url: string;
  readonly configPath: string;
  /** Stops accepting, lets requests in flight finish for at most 2 s, then cuts them off. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 2_000;

/**
 * Starts the rate limiter that the environment describes and resolves when it serves.
 * Each start that gets that far appends a line `{"at", "pid"}` to `starts.ndjson` beside the config file,
 * so that anybody can count the starts. Rejects with StartError; nothing is left running then.
 */
export async function startService(env: NodeJS.ProcessEnv, log: Logger): Promise<RunningService> {
  const settings = readSettings(env);
  const { configPath } = settings;
  let inForce = loadOrCreateConfig(configPath);
  const now = () => performance.now();
  const startedAt = new Date().toISOString();
  const buckets = new TokenBuckets(inForce.config);
  const metrics = createMetrics(() => buckets.activeKeys(now()));

  const server = createRateLimiterServer({ inForce: () => inForce, buckets, metrics, log, now, startedAt });
  const url = await listen(server, settings);
  countStart(configPath, startedAt, log);
  log.info({ event: 'started', url, config_path: configPath, ...describe(inForce) }, `serving on ${url}`);

  const onConfigChange = (read: ConfigRead): void => {
    switch (read.kind) {
      case 'valid':
        inForce = read;
        buckets.setLimits(read.config, now());
        metrics.countReload('applied');
        log.info({ event: 'config_reloaded', ...describe(read) }, 'the changed config is in force');
        return;
      case 'invalid':
        metrics.countReload('rejected');
        log.error(
          { event: 'config_rejected', problem: read.problem, config_hash: inForce.fingerprint },
          `the config file ${configPath} is invalid, the previous config stays in force: ${read.problem}`,
        );
        return;
      case 'missing':
        metrics.countReload('missing');
        log.error(
          { event: 'config_missing', config_hash: inForce.fingerprint },
          `the config file ${configPath} is gone, the previous config stays in force until there is a new one`,
        );
    }
  };
  const watcher = watchConfigFile(configPath, inForce.fingerprint, onConfigChange);

  return {
    url,
    configPath,
    async stop() {
      watcher.close();
      await close(server);
      log.info({ event: 'stopped' }, 'stopped');
    },
  };
}

/** With the names that the file has. */
function describe({ config, fingerprint }: ValidConfig): object {
  const { enabled, delayMs, capacity, refillPerSecond } = config;
  return {
    config_hash: fingerprint,
    config: { enabled, delay_ms: delayMs, capacity, refill_per_second: refillPerSecond },
  };
}

function listen(server: Server, { host, port }: Settings): Promise<string> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenError(host, port, error));
    server.once('error', onError);
    server.listen({ host, port }, () => {
      server.off('error', onError);
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}

function listenError(host: string, port: number, error: Error): StartError {
  const code = errorCode(error);
  const message =
    code === 'EADDRINUSE'
      ? `${host}:${port} is already in use. Stop what listens there or set RATE_LIMITER_PORT to another port.`
      : `Cannot listen on ${host}:${port} (${code}). Check RATE_LIMITER_HOST and RATE_LIMITER_PORT.`;
  return new StartError(message, { cause: error });
}

function countStart(configPath: string, at: string, log: Logger): void {
  const path = join(dirname(configPath), 'starts.ndjson');
  try {
    appendFileSync(path, `${JSON.stringify({ at, pid: process.pid })}\n`);
  } catch (error) {
    // A full disk is no reason to leave clients without their limiter.
    log.warn({ event: 'start_not_counted', code: errorCode(error) }, `this start is not in ${path}`);
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS);
    server.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
  });
}
