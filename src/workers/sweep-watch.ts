import type { Logger } from 'pino';
import type { Samples } from '../activities/samples';

const MISSED_SWEEPS = 3;

/**
 * Says once when no sweep has ended for three intervals (Temporal away, schedule paused) and once when they are back: a
 * monitor that sees nothing must not look as if everything were well. Returns the function that ends it.
 */
export function watchSweeps(
  samples: Pick<Samples, 'read'>,
  intervalMs: number,
  log: Pick<Logger, 'info' | 'error'>,
): () => void {
  let seen: string | null = null;
  let seenMs = performance.now();
  let isSilent = false;
  const timer = setInterval(() => {
    const { lastSweepAt, lastError } = samples.read();
    if (lastSweepAt !== seen) seenMs = performance.now();
    seen = lastSweepAt;
    const silentMs = performance.now() - seenMs;
    const isSilentNow = silentMs > MISSED_SWEEPS * intervalMs;
    if (isSilentNow && !isSilent) {
      const reason =
        lastError ?? 'no sweep was started; does Temporal answer, is its schedule "monitor" paused?';
      log.error(`nothing has been checked for ${Math.round(silentMs / 1_000)} s: ${reason}`);
    }
    if (!isSilentNow && isSilent) log.info('sweeps run again');
    isSilent = isSilentNow;
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}
