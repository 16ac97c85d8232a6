import type { TokenCounts } from './model-prices';

/** What one attempt may use. Tokens are uncached input and output; waiting does not count as wall clock. */
export interface AttemptLimits {
  readonly turns: number;
  readonly usd: number;
  readonly tokens: number;
  readonly wallClockMs: number;
}

/** What calls of models have used; every request that the API counted, whether or not its answer arrived. */
export interface ModelSpend {
  /** Without calls of a model that has no known price. */
  readonly usd: number;
  readonly tokens: number;
}

export const NOTHING_SPENT: ModelSpend = { usd: 0, tokens: 0 };

export function spend(
  spent: ModelSpend,
  call: { readonly tokens: TokenCounts; readonly usd: number | null },
): ModelSpend {
  const { input, cacheWrite5m, cacheWrite1h, output } = call.tokens;
  return {
    usd: spent.usd + (call.usd ?? 0),
    // What is written to the cache is read in full once: not cached yet.
    tokens: spent.tokens + input + cacheWrite5m + cacheWrite1h + output,
  };
}

/** What leaves no room for another turn of a model; turns themselves are counted by the loop. */
export type Limit = 'usd' | 'tokens' | 'wallClockMs' | 'usdPerDay';

/** `todayUsd`: of all tickets and analyses on this UTC day. */
export interface Used extends ModelSpend {
  readonly workedMs: number;
  readonly todayUsd: number;
}

/**
 * The first limit that is reached, null while there is room. A limit that is reached is exceeded: what a turn will cost is not
 * known before.
 */
export function exceededLimit(
  used: Used,
  limits: Omit<AttemptLimits, 'turns'> & { readonly usdPerDay: number },
): Limit | null {
  const isReached: Record<Limit, boolean> = {
    usd: isAt(used.usd, limits.usd),
    tokens: isAt(used.tokens, limits.tokens),
    wallClockMs: isAt(used.workedMs, limits.wallClockMs),
    usdPerDay: isAt(used.todayUsd, limits.usdPerDay),
  };
  return LIMITS.find((limit) => isReached[limit]) ?? null;
}

const LIMITS: readonly Limit[] = ['usd', 'tokens', 'wallClockMs', 'usdPerDay'];

/** Sums of cents carry rounding errors; less than a millionth is nothing. */
function isAt(used: number, limit: number): boolean {
  return limit - used < 1e-6;
}
