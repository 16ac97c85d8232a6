import type { Limit, Used } from '../../../src/domain/budget';
import { exceededLimit, NOTHING_SPENT, spend } from '../../../src/domain/budget';

const LIMITS = { usd: 0.5, tokens: 400_000, wallClockMs: 900_000, usdPerDay: 10 };
const UNUSED: Used = { ...NOTHING_SPENT, workedMs: 0, todayUsd: 0 };
const call = (usd: number | null, input = 100, output = 10) => ({
  tokens: { input, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 5_000, output },
  usd,
});

describe('spend', () => {
  it('a turn whose call was repeated costs both calls', () => {
    expect([call(0.1), call(0.2)].reduce(spend, NOTHING_SPENT)).toEqual({ usd: 0.1 + 0.2, tokens: 220 });
  });

  it('tokens are input that was not cached yet and output, not cache reads', () => {
    const tokens = { input: 1, cacheWrite5m: 20, cacheWrite1h: 300, cacheRead: 4_000, output: 50_000 };
    expect(spend(NOTHING_SPENT, { tokens, usd: 0 }).tokens).toBe(50_321);
  });

  it('a call without a price costs nothing that is known', () => {
    expect([call(null), call(0.1)].reduce(spend, NOTHING_SPENT)).toEqual({ usd: 0.1, tokens: 220 });
  });
});

describe('exceededLimit', () => {
  it.each<[string, Partial<Used>, Limit | null]>([
    ['nothing used', {}, null],
    ['a cent below', { usd: 0.49 }, null],
    ['money', { usd: 0.5 }, 'usd'],
    [
      'money in ten rounded parts',
      {
        usd: Array<number>(10)
          .fill(0.05)
          .reduce((a, b) => a + b, 0),
      },
      'usd',
    ],
    ['one token below', { tokens: 399_999 }, null],
    ['tokens', { tokens: 400_001 }, 'tokens'],
    ['one millisecond below', { workedMs: 899_999 }, null],
    ['wall clock', { workedMs: 900_000 }, 'wallClockMs'],
    ['a cent below the day', { todayUsd: 9.99 }, null],
    ['the day is spent', { todayUsd: 10 }, 'usdPerDay'],
    ['several: the first is named', { usd: 9, tokens: 400_000 }, 'usd'],
  ])('%s', (_name, change, exceeded) => {
    expect(exceededLimit({ ...UNUSED, ...change }, LIMITS)).toBe(exceeded);
  });

  it('a limit of nothing allows nothing', () => {
    expect(exceededLimit(UNUSED, { ...LIMITS, usd: 0 })).toBe('usd');
  });
});
