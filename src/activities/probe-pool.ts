import type { CheckResult } from '../domain/check';
import type { RegisteredInvariant } from '../domain/registry';
import type { Probe, ProbeOptions } from './probe';

/** Runs at most `concurrency` probes at once, first come first served. */
export interface ProbePool {
  /**
   * The check, or null when it is not there by `deadline` (of `performance.now()`). The probe then goes on within its own time-out, and
   * the next `run` for the same revision gets its answer, so that a target slower than a sweep is still decided.
   */
  run(invariant: RegisteredInvariant, options: ProbeOptions, deadline: number): Promise<CheckResult | null>;
}

/** An answer that came between two sweeps still counts; one that lay around longer says nothing about now. */
const CARRIED_FOR_MS = 10_000;
const LATE = Symbol('late');

interface Answer {
  readonly check: CheckResult;
  readonly atMs: number;
}

export function createProbePool(probe: Probe, concurrency: number): ProbePool {
  const carried = new Map<string, Promise<Answer | null>>();
  const inSlot = createSlots(concurrency);

  const waitFor = async (
    key: string,
    answer: Promise<Answer | null>,
    deadline: number,
  ): Promise<Answer | null> => {
    const found = await beforeDeadline(answer, deadline);
    if (found !== LATE) return found;
    carried.set(
      key,
      answer.catch(() => null),
    );
    return null;
  };

  return {
    async run(invariant, options, deadline) {
      const key = `${invariant.definition.id} ${invariant.revision}`;
      const earlier = carried.get(key);
      carried.delete(key);
      if (earlier) {
        const found = await waitFor(key, earlier, deadline);
        if (found && performance.now() - found.atMs < CARRIED_FOR_MS) return found.check;
      }
      if (carried.has(key)) return null;
      // Its turn may come too late for the sweep that asks; the next sweep asks again.
      const answer = inSlot(async () => {
        if (performance.now() >= deadline) return null;
        return { check: await probe(invariant, options), atMs: performance.now() };
      });
      return (await waitFor(key, answer, deadline))?.check ?? null;
    },
  };
}

async function beforeDeadline<T>(answer: Promise<T>, deadline: number): Promise<T | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), Math.max(0, deadline - performance.now()));
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

function createSlots(size: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = size;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
