import { resolve } from 'node:path';

import { StartError } from './start-error';

export interface Settings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly configPath: string;
}

/** Reads RATE_LIMITER_PORT (8001), RATE_LIMITER_HOST (127.0.0.1), RATE_LIMITER_CONFIG (./rate-limiter.json). Throws StartError on a bad port. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const port = env['RATE_LIMITER_PORT'] || '8001';
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new StartError(
      `RATE_LIMITER_PORT must be a port from 0 to 65535 (0: any free one), not ${JSON.stringify(port)}.`,
    );
  }
  return {
    host: env['RATE_LIMITER_HOST'] || '127.0.0.1',
    port: Number(port),
    configPath: resolve(env['RATE_LIMITER_CONFIG'] || 'rate-limiter.json'),
  };
}
