import type { TokenCounts } from './model-prices';

/** What one attempt may use. Tokens are uncached input and output; waiting does not count as wall clock. */
export interface AttemptLimits {
  readonly turns: number;
  readonly usd: number;
  readonly tokens: number;
  readonly wallClockMs: number;
}

export interface AttemptSpend {
  readonly turns: number;
  /** Calls to the model, repeated ones included. */
  readonly calls: number;
  readonly usd: number;
  readonly tokens: number;
  readonly workedMs: number;
  /** Calls of a model without a known price; `usd` is too low by what they cost. */
  readonly unpricedCalls: number;
}

export const NOTHING_SPENT: AttemptSpend = {
  turns: 0,
  calls: 0,
  usd: 0,
  tokens: 0,
  workedMs: 0,
  unpricedCalls: 0,
};

/**
 * `call`: one request that the API counted, whether or not its answer arrived: a repeated turn is paid twice. `worked`: time
 * spent on turns and tools; time spent waiting for a person, an approval or a retry is simply not reported.
 */
export type SpendEvent =
  | { readonly type: 'turn' }
  | { readonly type: 'call'; readonly tokens: TokenCounts; readonly usd: number | null }
  | { readonly type: 'worked'; readonly ms: number };

export function spend(spent: AttemptSpend, event: SpendEvent): AttemptSpend {
  switch (event.type) {
    case 'turn':
      return { ...spent, turns: spent.turns + 1 };
    case 'worked':
      return { ...spent, workedMs: spent.workedMs + Math.max(0, event.ms) };
    case 'call': {
      const { input, cacheWrite5m, cacheWrite1h, output } = event.tokens;
      return {
        ...spent,
        calls: spent.calls + 1,
        usd: spent.usd + (event.usd ?? 0),
        // What is written to the cache is read in full once: not cached yet.
        tokens: spent.tokens + input + cacheWrite5m + cacheWrite1h + output,
        unpricedCalls: spent.unpricedCalls + (event.usd === null ? 1 : 0),
      };
    }
  }
}

/** Money spent by all tickets on one UTC day. */
export interface DaySpend {
  /** `2026-01-31`. */
  readonly day: string;
  readonly usd: number;
}

/** Adds a cost to its day. A new day begins at nothing; a clock set back never does. */
export function spendToday(spent: DaySpend | null, usd: number, now: Date): DaySpend {
  const day = now.toISOString().slice(0, 10);
  return spent === null || day > spent.day ? { day, usd } : { day: spent.day, usd: spent.usd + usd };
}

export type Limit = keyof AttemptLimits | 'usdPerDay';

export interface BudgetReport {
  /** The first limit that leaves no room for another turn; null while there is room. */
  readonly exceeded: Limit | null;
  readonly left: Readonly<Record<Limit, number>>;
}

/** May another turn begin? A limit that is reached is exceeded: what a turn will cost is not known before. */
export function checkBudget(
  spent: AttemptSpend,
  limits: AttemptLimits,
  day: { readonly spent: DaySpend | null; readonly limitUsd: number; readonly now: Date },
): BudgetReport {
  const today = spendToday(day.spent, 0, day.now).usd;
  const left: Record<Limit, number> = {
    turns: room(limits.turns, spent.turns),
    usd: room(limits.usd, spent.usd),
    tokens: room(limits.tokens, spent.tokens),
    wallClockMs: room(limits.wallClockMs, spent.workedMs),
    usdPerDay: room(day.limitUsd, today),
  };
  return { exceeded: LIMITS.find((limit) => left[limit] === 0) ?? null, left };
}

const LIMITS: readonly Limit[] = ['turns', 'usd', 'tokens', 'wallClockMs', 'usdPerDay'];

/** Sums of cents carry rounding errors; less than a millionth is nothing. */
function room(limit: number, used: number): number {
  const left = limit - used;
  return left < 1e-6 ? 0 : left;
}
