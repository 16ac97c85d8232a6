import type { CircuitState } from '../../../src/domain/circuit-breaker';
import { admit, CLOSED_CIRCUIT, settle } from '../../../src/domain/circuit-breaker';

const OPTIONS = { failures: 3, openMs: 1_000 };
const fail = (state: CircuitState, nowMs: number) => settle(state, 'failed', nowMs, OPTIONS);
const OPEN = [10, 20, 30].reduce(fail, CLOSED_CIRCUIT);

describe('circuit breaker', () => {
  it('stays closed below its number of failures, and one answer starts the count anew', () => {
    const two = [10, 20].reduce(fail, CLOSED_CIRCUIT);
    expect(admit(two, 21, OPTIONS).admitted).toBe(true);
    const answered = settle(two, 'answered', 25, OPTIONS);
    expect(admit([30, 40].reduce(fail, answered), 41, OPTIONS).admitted).toBe(true);
  });

  it('opens at the third failure in a row and names the time that is left', () => {
    expect(admit(OPEN, 230, OPTIONS)).toEqual({ admitted: false, retryAfterMs: 800 });
  });

  it('when the pause is over one call tries, and only one', () => {
    const first = admit(OPEN, 1_030, OPTIONS);
    if (!first.admitted) throw new Error('the first call was not admitted');
    expect(admit(first.state, 1_031, OPTIONS)).toEqual({ admitted: false, retryAfterMs: 999 });
  });

  it.each<['answered' | 'failed' | 'abandoned', boolean]>([
    ['answered', true],
    ['failed', false],
    // It tells nothing of the server, so the next one tries.
    ['abandoned', true],
  ])('the call that tries %s: the next is admitted %s', (outcome, admitted) => {
    const first = admit(OPEN, 1_030, OPTIONS);
    if (!first.admitted) throw new Error('the first call was not admitted');
    expect(admit(settle(first.state, outcome, 1_100, OPTIONS), 1_101, OPTIONS).admitted).toBe(admitted);
  });

  it('a try that never ends does not keep it open for ever', () => {
    const first = admit(OPEN, 1_030, OPTIONS);
    if (!first.admitted) throw new Error('the first call was not admitted');
    expect(admit(first.state, 2_030, OPTIONS).admitted).toBe(true);
  });
});
