import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from './managed-process';

/** How a process shows that it has not only not died. */
export interface Liveness {
  /** Resolves when it answers, with whatever; rejects when it does not. */
  readonly probe: (timeoutMs: number) => Promise<unknown>;
  readonly everyMs: number;
  /** Generous: a loaded machine is no reason to kill anybody. */
  readonly timeoutMs: number;
  /** So long without an answer, and several times in a row, means that it hangs. */
  readonly silentMs: number;
}

const MIN_FAILURES = 3;
const TICK_MS = 200;
/** A pause of our own event loop, or of the whole machine, after which a missed answer says nothing about the other side. */
const STALL_MS = 1_000;

/** Resolves with the milliseconds of silence once a live process hangs; with null when it has ended before. */
export async function untilSilent(
  process: Pick<ManagedProcess, 'exit' | 'exited'>,
  { probe, everyMs, timeoutMs, silentMs }: Liveness,
): Promise<number | null> {
  const stalls = countStalls();
  try {
    let failures = 0;
    let since = performance.now();
    while (process.exit === null) {
      const stallsBefore = stalls.count();
      const askedAt = performance.now();
      const answered = await answersWithin(probe, timeoutMs);
      await Promise.race([process.exited, delay(everyMs, undefined, { ref: false })]);
      if (process.exit !== null) break;
      if (answered || stalls.count() > stallsBefore) {
        failures = 0;
        continue;
      }
      if (failures === 0) since = askedAt;
      failures += 1;
      const silence = performance.now() - since;
      if (failures >= MIN_FAILURES && silence >= silentMs) return silence;
    }
    return null;
  } finally {
    stalls.stop();
  }
}

async function answersWithin(probe: Liveness['probe'], timeoutMs: number): Promise<boolean> {
  const stop = new AbortController();
  const late = delay(timeoutMs, false, { ref: false, signal: stop.signal }).catch(() => false);
  const answer = probe(timeoutMs).then(
    () => true,
    () => false,
  );
  try {
    return await Promise.race([answer, late]);
  } finally {
    stop.abort();
  }
}

function countStalls(): { count(): number; stop(): void } {
  let stalls = 0;
  let last = performance.now();
  const look = (): void => {
    const now = performance.now();
    if (now - last > TICK_MS + STALL_MS) stalls += 1;
    last = now;
  };
  const timer = setInterval(look, TICK_MS);
  timer.unref();
  return {
    // Looks once more: after a pause our own timer may not have had its turn yet.
    count() {
      look();
      return stalls;
    },
    stop: () => clearInterval(timer),
  };
}
