import type { CheckResult } from './check';

export const HEALTH_STATES = ['unknown', 'up', 'suspect', 'down', 'recovering'] as const;
export type HealthState = (typeof HEALTH_STATES)[number];

/** What the registry remembers of an invariant's health. */
export interface InvariantHealth {
  readonly state: HealthState;
  /** When this state began. */
  readonly since: string;
  /** First failed check of the failure that is going on; null while none is. */
  readonly failingSince: string | null;
  /** Consecutive failures and successes so far, carried over sweeps by `suspect` and `recovering`. */
  readonly failures: number;
  readonly successes: number;
  /** The check that led here; an older check never overwrites a newer one. */
  readonly lastCheck: CheckResult | null;
}
