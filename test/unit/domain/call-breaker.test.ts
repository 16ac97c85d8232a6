import type { CallBreakerState } from '../../../src/domain/call-breaker';
import { recordCall, refuseRepeat } from '../../../src/domain/call-breaker';
import { digest } from '../../../src/domain/digest';
import type { Json } from '../../../src/domain/json';
import { canonicalJson } from '../../../src/domain/json';
import type { ToolCall } from '../../../src/domain/tool';

type Step = readonly [name: string, input: ToolCall['input'], content: string, isError?: boolean];
const makeCall = (name: string, input: ToolCall['input']): ToolCall => ({ id: 'c', name, input });
const play = (steps: readonly Step[]): CallBreakerState =>
  steps.reduce<CallBreakerState>((state, [name, input, content, isError = false]) => {
    const result = { callId: 'c', tool: name, isError, content, data: null };
    return recordCall(state, makeCall(name, input), result);
  }, {});
const LOOK: Step = ['read_file', { path: 'a', limit: 1 }, 'same'];
/** A look at a service that took so long, at that second. */
const looked = (ms: number, second: number, more = '', name = 'inspect_service'): Step => [
  name,
  LOOK[1],
  `0.${ms} % of a core, ${ms} MiB, fails (${ms} ms, 2026-01-01T00:00:0${second}.000Z)${more}`,
];
const NEXT = makeCall('read_file', { limit: 1, path: 'a' });

describe('call breaker', () => {
  it.each<[string, readonly Step[], boolean]>([
    ['nothing yet', [], false],
    ['twice the same', [LOOK, LOOK], false],
    ['three times the same, keys in another order', [LOOK, LOOK, LOOK], true],
    ['another call in between', [LOOK, LOOK, ['list_files', {}, 'x'], LOOK], true],
    ['another result starts anew', [LOOK, LOOK, ['read_file', { path: 'a', limit: 1 }, 'new'], LOOK], false],
    ['text alike, but one is an error', [LOOK, LOOK, [LOOK[0], LOOK[1], LOOK[2], true]], false],
    ['another input', [LOOK, LOOK, ['read_file', { path: 'a', limit: 2 }, 'same']], false],
    ['another tool', [LOOK, LOOK, ['search_code', { path: 'a', limit: 1 }, 'same']], false],
    ['an effect in between', [LOOK, LOOK, LOOK, ['service_control', { action: 'restart' }, 'done']], false],
    ['a refused action changes nothing', [LOOK, LOOK, LOOK, ['service_control', {}, 'no', true]], true],
  ])('%s', (_name, steps, refused) => {
    expect(refuseRepeat(play(steps), NEXT) !== null).toBe(refused);
  });

  it.each<[string, readonly Step[], boolean]>([
    ['only what is measured differs', [looked(7, 0), looked(12, 1), looked(9, 2)], true],
    ['a boot goes on', [1, 2, 3].map((second) => looked(7, second, ` (${second} of 30 s)`)), false],
    ['another error', [looked(7, 0), looked(7, 1), looked(7, 2, ' latency_ms 300')], false],
  ])('looks at a service: %s', (_name, steps, refused) => {
    expect(refuseRepeat(play(steps), makeCall('inspect_service', { path: 'a', limit: 1 })) !== null).toBe(
      refused,
    );
  });

  it('a file whose numbers were changed is another result', () => {
    const steps = [7, 12, 9].map((ms) => looked(ms, 0, '', 'read_file'));
    expect(refuseRepeat(play(steps), NEXT)).toBeNull();
  });

  it('an action that always succeeds alike is refused too', () => {
    const restart: Step = ['service_control', { action: 'restart' }, 'done'];
    const state = play([restart, restart, restart]);
    expect(refuseRepeat(state, makeCall('service_control', { action: 'restart' }))).not.toBeNull();
  });

  it('says how often and what to do instead', () => {
    expect(refuseRepeat(play([LOOK, LOOK, LOOK]), NEXT)).toMatch(
      /read_file .* 3 times.*update_ticket_status/s,
    );
  });

  it('its state survives JSON and stays small, whatever the results', () => {
    const long: Step = ['read_file', { path: 'p'.repeat(4_000) }, 'x'.repeat(16_000)];
    const state = JSON.parse(JSON.stringify(play([long, long, long]))) as CallBreakerState;
    expect(refuseRepeat(state, makeCall('read_file', { path: 'p'.repeat(4_000) }))).not.toBeNull();
    expect(JSON.stringify(state).length).toBeLessThan(200);
  });
});

describe('canonicalJson', () => {
  it.each<[Json, Json, boolean]>([
    [{ a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, true],
    [[1, 2], [2, 1], false],
    [{ a: null }, {}, false],
    ['1', 1, false],
    [[{ b: 1, a: 2 }], [{ a: 2, b: 1 }], true],
  ])('%j and %j: equal %s', (a, b, equal) => {
    expect(canonicalJson(a) === canonicalJson(b)).toBe(equal);
  });

  it('is JSON of the same value', () => {
    const value = { b: [1, { z: null, y: 'x"\n' }], a: true };
    expect(JSON.parse(canonicalJson(value))).toEqual(value);
  });
});

describe('digest', () => {
  it('differs for texts that differ in one place, order or length', () => {
    const texts = [
      '',
      'a',
      'b',
      'ab',
      'ba',
      'aa',
      'aaa',
      'a'.repeat(1_000),
      `${'a'.repeat(999)}b`,
      'ä',
      '日',
    ];
    expect(new Set(texts.map(digest)).size).toBe(texts.length);
    for (const text of texts) expect(digest(text)).toMatch(/^[0-9a-f]{16}$/);
  });
});
