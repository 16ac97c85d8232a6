import type { AttemptSpend, DaySpend, Limit, SpendEvent } from '../../../src/domain/budget';
import { checkBudget, NOTHING_SPENT, spend, spendToday } from '../../../src/domain/budget';

const LIMITS = { turns: 25, usd: 0.5, tokens: 400_000, wallClockMs: 900_000 };
const NOW = new Date('2026-01-02T00:00:01.000Z');
const DAY = { spent: null, limitUsd: 10, now: NOW };
const call = (usd: number | null, input = 100, output = 10): SpendEvent => ({
  type: 'call',
  tokens: { input, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 5_000, output },
  usd,
});
const spendAll = (events: readonly SpendEvent[]): AttemptSpend => events.reduce(spend, NOTHING_SPENT);

describe('spend', () => {
  it('a turn whose call was repeated costs both calls and counts as one turn', () => {
    expect(spendAll([call(0.1), call(0.2), { type: 'turn' }])).toEqual({
      turns: 1,
      calls: 2,
      usd: 0.1 + 0.2,
      tokens: 220,
      workedMs: 0,
      unpricedCalls: 0,
    });
  });

  it('tokens are input that was not cached yet and output, not cache reads', () => {
    const tokens = { input: 1, cacheWrite5m: 20, cacheWrite1h: 300, cacheRead: 4_000, output: 50_000 };
    expect(spend(NOTHING_SPENT, { type: 'call', tokens, usd: 0 }).tokens).toBe(50_321);
  });

  it('a call without a price costs nothing and is counted as such', () => {
    expect(spendAll([call(null), call(0.1)])).toMatchObject({ usd: 0.1, unpricedCalls: 1, calls: 2 });
  });

  it('only reported work counts as wall clock, and a clock that went back takes nothing off', () => {
    const events: SpendEvent[] = [
      { type: 'worked', ms: 3_000 },
      { type: 'worked', ms: -1_000 },
      { type: 'worked', ms: 500 },
    ];
    expect(spendAll(events).workedMs).toBe(3_500);
  });
});

describe('checkBudget', () => {
  it.each<[string, Partial<AttemptSpend>, Limit | null]>([
    ['nothing spent', {}, null],
    ['one turn below', { turns: 24 }, null],
    ['turns', { turns: 25 }, 'turns'],
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
    ['several: the first is named', { usd: 9, tokens: 400_000 }, 'usd'],
  ])('%s', (_name, change, exceeded) => {
    expect(checkBudget({ ...NOTHING_SPENT, ...change }, LIMITS, DAY).exceeded).toBe(exceeded);
  });

  it('says what is left, never less than nothing', () => {
    const spent = { ...NOTHING_SPENT, turns: 5, usd: 0.75, tokens: 1_000, workedMs: 60_000 };
    const day = { ...DAY, spent: { day: '2026-01-02', usd: 4 } };
    expect(checkBudget(spent, LIMITS, day).left).toEqual({
      turns: 20,
      usd: 0,
      tokens: 399_000,
      wallClockMs: 840_000,
      usdPerDay: 6,
    });
  });

  it.each<[string, DaySpend, Limit | null]>([
    ['the day is spent', { day: '2026-01-02', usd: 10 }, 'usdPerDay'],
    ['yesterday was spent', { day: '2026-01-01', usd: 10 }, null],
  ])('%s', (_name, spent, exceeded) => {
    expect(checkBudget(NOTHING_SPENT, LIMITS, { ...DAY, spent }).exceeded).toBe(exceeded);
  });

  it('a limit of nothing allows nothing', () => {
    expect(checkBudget(NOTHING_SPENT, { ...LIMITS, usd: 0 }, DAY).exceeded).toBe('usd');
  });
});

describe('spendToday', () => {
  it.each<[string, DaySpend | null, DaySpend]>([
    ['first cost', null, { day: '2026-01-02', usd: 1 }],
    ['same day', { day: '2026-01-02', usd: 2 }, { day: '2026-01-02', usd: 3 }],
    ['new day', { day: '2026-01-01', usd: 2 }, { day: '2026-01-02', usd: 1 }],
    ['clock set back: no new allowance', { day: '2026-01-03', usd: 2 }, { day: '2026-01-03', usd: 3 }],
  ])('%s', (_name, before, after) => {
    expect(spendToday(before, 1, NOW)).toEqual(after);
  });
});
