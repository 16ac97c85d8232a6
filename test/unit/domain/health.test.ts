import { applyCheck, isFlapping, initialHealth } from '../../../src/domain/health';
import type { HealthState, InvariantHealth } from '../../../src/domain/health';
import { at, check, failed, T0 } from '../../support/invariants';

const POLICY = { attempts: 3, successes: 2, confirmed: false };
const CONFIRMED = { ...POLICY, confirmed: true };

function health(state: HealthState, over: Partial<InvariantHealth> = {}): InvariantHealth {
  return { ...initialHealth(T0), state, lastCheck: check('a'), ...over };
}

const FAILING = { failingSince: at(-900) };

describe('a failed check', () => {
  it.each([
    ['unknown → suspect', health('unknown'), POLICY, { state: 'suspect', failures: 1 }],
    ['up → suspect', health('up'), POLICY, { state: 'suspect', failures: 1 }],
    ['suspect 1 → suspect 2', health('suspect', { failures: 1 }), POLICY, { state: 'suspect', failures: 2 }],
    ['suspect 2 → down 3', health('suspect', { failures: 2 }), POLICY, { state: 'down', failures: 3 }],
    ['down → down', health('down', { failures: 3 }), POLICY, { state: 'down' }],
    ['recovering → down', health('recovering', { successes: 1 }), POLICY, { state: 'down', successes: 0 }],
    ['unknown, confirmed → down', health('unknown'), CONFIRMED, { state: 'down', failures: 1 }],
    ['up, confirmed → down', health('up'), CONFIRMED, { state: 'down', failures: 1 }],
    ['suspect 1, confirmed → down', health('suspect', { failures: 1 }), CONFIRMED, { state: 'down' }],
    ['up, one attempt → down', health('up'), { ...POLICY, attempts: 1 }, { state: 'down' }],
  ])('%s', (_name, before, policy, after) => {
    const result = applyCheck(before, failed('a', { at: at(10), latencyMs: 4 }), policy);
    // What the probe waited for in vain was silent when it began.
    expect(result).toMatchObject({ failingSince: at(6), successes: 0, ...after });
    expect(result.since).toBe(result.state === before.state ? T0 : at(10));
    expect(result.lastCheck?.ok).toBe(false);
  });

  it.each(['suspect', 'down', 'recovering'] as const)('%s: the failure keeps its beginning', (state) => {
    const after = applyCheck(health(state, FAILING), failed('a', { at: at(10) }), POLICY);
    expect(after.failingSince).toBe(at(-900));
  });
});

describe('a successful check', () => {
  it.each([
    ['unknown → up', health('unknown'), { state: 'up', failingSince: null }],
    ['up → up', health('up'), { state: 'up', failingSince: null }],
    [
      'suspect → up',
      health('suspect', { ...FAILING, failures: 2 }),
      { state: 'up', failingSince: null, failures: 0 },
    ],
    [
      'down → recovering 1',
      health('down', FAILING),
      { state: 'recovering', failingSince: at(-900), successes: 1 },
    ],
    [
      'recovering 1 → up',
      health('recovering', { ...FAILING, successes: 1 }),
      { state: 'up', failingSince: null, successes: 0 },
    ],
  ])('%s', (_name, before, after) => {
    const result = applyCheck(before, check('a', { at: at(10) }), POLICY);
    expect(result).toMatchObject({ failures: 0, ...after });
    expect(result.since).toBe(result.state === before.state ? T0 : at(10));
  });

  it('down → up at once when one success is enough', () => {
    const after = applyCheck(health('down', FAILING), check('a', { at: at(10) }), {
      ...POLICY,
      successes: 1,
    });
    expect(after).toMatchObject({ state: 'up', failingSince: null });
  });

  it('is not hurried by `confirmed`, which is about failures', () => {
    expect(applyCheck(health('down', FAILING), check('a', { at: at(10) }), CONFIRMED).state).toBe(
      'recovering',
    );
  });
});

describe('flapping', () => {
  const round = (from: InvariantHealth, second: number): InvariantHealth =>
    applyCheck(
      applyCheck(from, failed('a', { at: at(second * 1_000) }), CONFIRMED),
      check('a', { at: at(second * 1_000 + 500) }),
      { ...POLICY, successes: 1 },
    );
  const rounds = (...seconds: number[]) => seconds.reduce(round, health('up'));

  it('four times down within ten minutes, and no longer than that', () => {
    expect(isFlapping(rounds(10, 20, 30), at(40_000))).toBe(false);
    expect(isFlapping(rounds(10, 20, 30, 40), at(50_000))).toBe(true);
    expect(isFlapping(rounds(10, 20, 30, 40), at(10_000 + 600_001))).toBe(false);
    expect(isFlapping(rounds(10, 400, 800, 1_200), at(1_201_000))).toBe(false);
  });

  it('one failure that lasts, or comes back while it recovers, is one', () => {
    let one = health('up');
    for (const second of [10, 20, 30, 40, 50]) {
      one = applyCheck(one, failed('a', { at: at(second * 1_000) }), CONFIRMED);
      one = applyCheck(one, check('a', { at: at(second * 1_000 + 500) }), POLICY);
    }
    expect(one.recentDowns).toHaveLength(1);
  });
});

describe('a check that was overtaken changes nothing', () => {
  const before = health('up', { lastCheck: check('a', { revision: 2, at: at(50) }) });
  it.each([
    ['older by time', failed('a', { revision: 2, at: at(49) })],
    ['of an older revision, though later', failed('a', { revision: 1, at: at(90) })],
  ])('%s', (_name, old) => {
    expect(applyCheck(before, old, POLICY)).toBe(before);
  });

  it.each([
    ['a minute back: overtaken', 60_000, 'up'],
    ['an hour back: the clock was set, and the check counts', 3_600_000, 'suspect'],
  ])('%s', (_name, backMs, state) => {
    const check = failed('a', { revision: 2, at: at(50 - backMs) });
    expect(applyCheck(before, check, POLICY).state).toBe(state);
  });

  it('but one of a newer revision counts, whatever its time', () => {
    expect(applyCheck(before, failed('a', { revision: 3, at: at(1) }), POLICY).state).toBe('suspect');
  });
});
