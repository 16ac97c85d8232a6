import { NativeConnection, Runtime } from '@temporalio/worker';
import type { Logger as TemporalLogger, NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { readEndpoints } from '../client/endpoints';
import { connectTemporal, resolveTemporalTarget, TemporalUnreachable } from '../client/temporal';
import type { TemporalAccess, TemporalTarget } from '../client/temporal';
import type { HarnessConfig } from '../config/config';

/** Both ways to Temporal that a worker process needs. */
export interface WorkerTemporal {
  readonly access: TemporalAccess;
  /** For the worker itself. */
  readonly native: NativeConnection;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 10_000;

/** Connects a worker process. Throws TemporalUnreachable (exit code 69). */
export async function openTemporal(config: HarnessConfig, log: Logger): Promise<WorkerTemporal> {
  installRuntime(log);
  const target = resolveTemporalTarget(config, await readEndpoints(config.dataDir));
  const access = await connectTemporal(target, { timeoutMs: CONNECT_TIMEOUT_MS });
  try {
    const native = await NativeConnection.connect(nativeOptions(target));
    return {
      access,
      native,
      async close() {
        await native.close();
        await access.close();
      },
    };
  } catch (error) {
    await access.close();
    throw error;
  }
}

function nativeOptions({ address, security }: TemporalTarget): NativeConnectionOptions {
  const { tls, apiKey, metadata } = security ?? {};
  if (typeof apiKey === 'function') {
    throw new TemporalUnreachable(
      'an API key that changes is not supported; set TEMPORAL_API_KEY to its value',
    );
  }
  return {
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

let isInstalled = false;

/** Once per process. The process owns the order of its end, so the runtime must not react to signals by itself. */
function installRuntime(log: Logger): void {
  if (isInstalled) return;
  isInstalled = true;
  Runtime.install({
    shutdownSignals: [],
    logger: toTemporalLogger(log),
    telemetryOptions: { logging: { forward: {}, filter: { core: 'WARN', other: 'ERROR' } } },
  });
}

function toTemporalLogger(log: Logger): TemporalLogger {
  type Level = 'trace' | 'debug' | 'info' | 'warn' | 'error';
  const write = (level: Level, message: string, meta?: object): void => log[level]({ ...meta }, message);
  return {
    log: (level, message, meta) => write(toLevel(level), message, meta),
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    // The SDK's "info" is about its own coming and going, our log is about services.
    info: (message, meta) => write('debug', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  };
}

function toLevel(level: 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR') {
  switch (level) {
    case 'TRACE':
      return 'trace';
    case 'DEBUG':
    case 'INFO':
      return 'debug';
    case 'WARN':
      return 'warn';
    case 'ERROR':
      return 'error';
  }
}
