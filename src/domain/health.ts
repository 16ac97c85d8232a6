import type { CheckResult } from './check';

export type HealthState = 'unknown' | 'up' | 'suspect' | 'down' | 'recovering';

/** What the registry remembers of an invariant's health. */
export interface InvariantHealth {
  readonly state: HealthState;
  /** When this state began. */
  readonly since: string;
  /** When the first failed check of the failure that is going on began; null while none is. */
  readonly failingSince: string | null;
  /** Consecutive failures and successes so far, carried over sweeps by `suspect` and `recovering`. */
  readonly failures: number;
  readonly successes: number;
  /** When it went down lately, oldest first; absent until it has. */
  readonly recentDowns?: readonly string[];
  /** The check that led here; an older check never overwrites a newer one. */
  readonly lastCheck: CheckResult | null;
}

export interface HealthPolicy {
  /** Consecutive failures that make DOWN. */
  readonly attempts: number;
  /** Consecutive successes that make a DOWN invariant UP. */
  readonly successes: number;
  /** The failure is known from another source (the process ended): one failed check is enough. */
  readonly confirmed: boolean;
}

/** Health of a definition that has not been checked yet. */
export function initialHealth(at: string): InvariantHealth {
  return { state: 'unknown', since: at, failingSince: null, failures: 0, successes: 0, lastCheck: null };
}

/**
 * Applies one check: unknown → up → suspect → down → recovering → up. Returns the same object when the check is older
 * (by `at`, or by revision) than the one that led here. `since` changes only with the state.
 */
export function applyCheck(
  health: InvariantHealth,
  check: CheckResult,
  policy: HealthPolicy,
): InvariantHealth {
  if (isStale(health.lastCheck, check)) return health;
  const next = check.ok ? afterSuccess(health, policy) : afterFailure(health, check, policy);
  const since = next.state === health.state ? health.since : check.at;
  const goesDown = next.state === 'down' && health.state !== 'down' && health.state !== 'recovering';
  const downs = goesDown
    ? [...(health.recentDowns ?? []), check.at].slice(-FLAPPING_DOWNS)
    : health.recentDowns;
  return { ...next, since, ...(downs && { recentDowns: downs }), lastCheck: check };
}

/** As many times down within this time are no separate failures any more. */
const FLAPPING_DOWNS = 4;
const FLAPPING_WITHIN_MS = 600_000;

/** Whether it goes down and comes back again and again: then a few good answers prove nothing. */
export function isFlapping({ recentDowns = [] }: InvariantHealth, at: string): boolean {
  const [oldest] = recentDowns;
  if (recentDowns.length < FLAPPING_DOWNS || oldest === undefined) return false;
  const agoMs = Date.parse(at) - Date.parse(oldest);
  return agoMs >= 0 && agoMs <= FLAPPING_WITHIN_MS;
}

/** No probe is overtaken by more than this. One that seems to be says that the clock was set back, and is as good as any. */
const MAX_OVERTAKEN_MS = 60_000;

/** Whether `check` was overtaken: made for an older definition, or a little earlier than `last`. */
export function isStale(last: CheckResult | null, check: CheckResult): boolean {
  if (last === null || check.revision !== last.revision) {
    return last !== null && check.revision < last.revision;
  }
  return isOvertaken(last.at, check.at);
}

/** Whether a check made at `at` comes after one that was made a little later. */
export function isOvertaken(lastAt: string, at: string): boolean {
  const overtakenMs = Date.parse(lastAt) - Date.parse(at);
  return overtakenMs > 0 && overtakenMs <= MAX_OVERTAKEN_MS;
}

type Progress = Omit<InvariantHealth, 'since' | 'lastCheck' | 'recentDowns'>;
const UP: Progress = { state: 'up', failingSince: null, failures: 0, successes: 0 };

function afterSuccess(health: InvariantHealth, policy: HealthPolicy): Progress {
  switch (health.state) {
    case 'unknown':
    case 'up':
    case 'suspect':
      return UP;
    case 'down':
    case 'recovering': {
      const successes = health.state === 'down' ? 1 : health.successes + 1;
      if (successes >= policy.successes) return UP;
      return { state: 'recovering', failingSince: health.failingSince, failures: 0, successes };
    }
  }
}

function afterFailure(health: InvariantHealth, check: CheckResult, policy: HealthPolicy): Progress {
  const failures = health.failures + 1;
  const failingSince = health.failingSince ?? startOf(check);
  switch (health.state) {
    case 'unknown':
    case 'up':
    case 'suspect': {
      const isDown = policy.confirmed || failures >= policy.attempts;
      return { state: isDown ? 'down' : 'suspect', failingSince, failures, successes: 0 };
    }
    case 'down':
    case 'recovering':
      return { state: 'down', failingSince, failures, successes: 0 };
  }
}

/** A probe that waited in vain for two seconds knows that the silence began before them. */
function startOf({ at, latencyMs }: CheckResult): string {
  return new Date(Date.parse(at) - latencyMs).toISOString();
}
