import type { CheckResult } from '../domain/check';

const KEPT_PER_INVARIANT = 50;

/** The last checks of each invariant and how the last sweep went; lives and dies with the monitor process. */
export interface Samples {
  add(check: CheckResult): void;
  latest(invariantId: string): CheckResult | null;
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
  let lastSweepAt: string | null = null;
  let lastError: string | null = null;
  return {
    add(check) {
      const ring = rings.get(check.invariantId) ?? [];
      ring.push(check);
      if (ring.length > keptPerInvariant) ring.shift();
      rings.set(check.invariantId, ring);
    },
    latest: (invariantId) => rings.get(invariantId)?.at(-1) ?? null,
    keepOnly(invariantIds) {
      for (const id of rings.keys()) if (!invariantIds.has(id)) rings.delete(id);
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
