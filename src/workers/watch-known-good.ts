import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { KeeperDeps } from '../activities/known-good-keeper';
import { createKnownGoodKeeper } from '../activities/known-good-keeper';
import { probeHttp } from '../activities/probe-http';
import { INVARIANT_DEFAULTS } from '../domain/invariant';

const ASK_TIMEOUT_MS = 1_000;

/** Looks at the services' files at every interval, beside the sweeps and never in their way, until the signal aborts. */
export async function watchKnownGood(
  deps: Omit<KeeperDeps, 'readConfigHash'>,
  intervalMs: number,
  signal: AbortSignal,
): Promise<void> {
  const look = createKnownGoodKeeper({ ...deps, readConfigHash: (url) => readConfigHash(url, signal) });
  while (!signal.aborted) {
    await look(signal);
    await delay(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

const answer = z.object({ config_hash: z.string().regex(/^[0-9a-f]{64}$/) });

/** A service that takes changes in while it runs can show the sha256 of the file it works with; most show nothing. */
async function readConfigHash(url: string, signal: AbortSignal): Promise<string | null> {
  try {
    const options = { timeoutMs: ASK_TIMEOUT_MS, signal };
    const { body } = await probeHttp(new URL(url), INVARIANT_DEFAULTS.request, options);
    return answer.parse(JSON.parse(body ?? '')).config_hash;
  } catch {
    return null;
  }
}
