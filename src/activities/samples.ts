import type { CheckResult } from '../domain/check';

const KEPT_PER_INVARIANT = 50;

/** The last checks of each invariant and how the last sweep went; lives and dies with the monitor process. */
export interface Samples {
  add(check: CheckResult): void;
  /** Grows with each sample: the lower it is, the longer this invariant has not been probed; 0: never. No clock decides it. */
  turnOf(invariantId: string): number;
  /** Forgets invariants that no longer exist. */
  keepOnly(invariantIds: ReadonlySet<string>): void;
  sweepEnded(at: string): void;
  sweepFailed(message: string): void;
  read(): SamplesView;
}

interface SamplesView {
  readonly items: Readonly<Record<string, readonly CheckResult[]>>;
  /** When the last sweep over everything ended; null while none has. */
  readonly lastSweepAt: string | null;
  /** Why checks cannot run at the moment; null while they can. */
  readonly lastError: string | null;
}

export function createSamples(keptPerInvariant = KEPT_PER_INVARIANT): Samples {
  const rings = new Map<string, CheckResult[]>();
  const turns = new Map<string, number>();
  let turn = 0;
  let lastSweepAt: string | null = null;
  let lastError: string | null = null;
  return {
    add(check) {
      const ring = rings.get(check.invariantId) ?? [];
      ring.push(check);
      if (ring.length > keptPerInvariant) ring.shift();
      rings.set(check.invariantId, ring);
      turns.set(check.invariantId, (turn += 1));
    },
    turnOf: (invariantId) => turns.get(invariantId) ?? 0,
    keepOnly(invariantIds) {
      for (const id of [...rings.keys()].filter((known) => !invariantIds.has(known))) {
        rings.delete(id);
        turns.delete(id);
      }
    },
    sweepEnded(at) {
      lastSweepAt = at;
      lastError = null;
    },
    sweepFailed(message) {
      lastError = message;
    },
    read: () => ({ items: Object.fromEntries(rings), lastSweepAt, lastError }),
  };
}
