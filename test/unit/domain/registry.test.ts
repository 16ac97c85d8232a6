import { dismissalOf } from '../../../src/domain/dismissal';
import { initialHealth } from '../../../src/domain/health';
import type { InvariantHealth } from '../../../src/domain/health';
import type { PauseTarget } from '../../../src/domain/pause';
import { pauseOf } from '../../../src/domain/pause';
import { EMPTY_REGISTRY, reduceRegistry } from '../../../src/domain/registry';
import { rejectRegistryEvent } from '../../../src/domain/registry-rejection';
import type { RegistryEvent, RegistryState } from '../../../src/domain/registry';
import { at, check, definition, downSince, failed, T0 } from '../../support/invariants';

const put = (id: string, mode: 'create' | 'replace', over = {}): RegistryEvent => ({
  type: 'put',
  at: T0,
  mode,
  definition: definition(id, over),
});
const sync = (ids: readonly string[], over = {}, when = T0): RegistryEvent => ({
  type: 'sync_file',
  at: when,
  definitions: ids.map((id) => definition(id, over)),
});
const down = (invariantId: string, revision: number, when = at(5)): RegistryEvent => ({
  type: 'transitions',
  at: when,
  transitions: [{ invariantId, revision, health: downSince(invariantId, when) }],
});
const fold = (...events: RegistryEvent[]): RegistryState => events.reduce(reduceRegistry, EMPTY_REGISTRY);

describe('what a person may not do', () => {
  const state = fold(sync(['of_file']), put('of_api', 'create'));
  it.each([
    ['create an existing one', put('of_api', 'create'), 'already_exists'],
    ['create one that the file has', put('of_file', 'create'), 'already_exists'],
    ['replace one that the file has', put('of_file', 'replace'), 'file_owned'],
    ['replace an unknown one', put('none', 'replace'), 'not_found'],
    [
      'disable one that the file has',
      { type: 'set_enabled', at: T0, id: 'of_file', enabled: false },
      'file_owned',
    ],
    ['disable an unknown one', { type: 'set_enabled', at: T0, id: 'none', enabled: false }, 'not_found'],
    ['remove one that the file has', { type: 'remove', at: T0, id: 'of_file' }, 'file_owned'],
    ['remove an unknown one', { type: 'remove', at: T0, id: 'toString' }, 'not_found'],
    ['use a bad id', put('Bad/Id', 'create'), 'invalid'],
    ['have one suppress itself', put('a', 'create', { suppressedBy: ['a'] }), 'invalid'],
    ['ask for no attempts', put('a', 'create', { confirm: { attempts: 0, spacingMs: 1 } }), 'invalid'],
    ['list one twice in the file', sync(['a', 'a']), 'invalid'],
  ] as readonly (readonly [string, RegistryEvent, string])[])('%s', (_name, event, code) => {
    expect(rejectRegistryEvent(state, event)).toMatchObject({ code });
    expect(reduceRegistry(state, event)).toBe(state);
  });
});

describe('revisions and health', () => {
  it('a changed definition gets a new revision and starts unknown', () => {
    const before = fold(put('a', 'create'), down('a', 1));
    expect(before.invariants['a']?.health.state).toBe('down');
    const after = reduceRegistry(before, put('a', 'replace', { condition: 'status == 204' }));
    expect(after.invariants['a']).toMatchObject({ revision: 2, health: { state: 'unknown' } });
  });

  it('the same definition in another key order changes nothing', () => {
    const before = fold(put('a', 'create'), down('a', 1));
    const reordered = Object.fromEntries(Object.entries(definition('a')).reverse());
    const event = {
      ...put('a', 'replace'),
      definition: { ...definition('a'), ...reordered },
    } as RegistryEvent;
    expect(reduceRegistry(before, event)).toBe(before);
  });

  it('a removed and re-made invariant never reuses a revision', () => {
    const state = fold(
      put('a', 'create'),
      { type: 'remove', at: T0, id: 'a' },
      put('a', 'create'),
      down('a', 1),
    );
    expect(state.invariants['a']).toMatchObject({ revision: 2, health: { state: 'unknown' } });
  });

  it('enabling what is enabled changes nothing', () => {
    const before = fold(put('a', 'create'), down('a', 1));
    expect(reduceRegistry(before, { type: 'set_enabled', at: T0, id: 'a', enabled: true })).toBe(before);
  });
});

describe('a sweep that still counts on from a failure that is over', () => {
  const transition = (health: InvariantHealth): RegistryEvent => ({
    type: 'transitions',
    at: health.lastCheck?.at ?? T0,
    transitions: [{ invariantId: 'a', revision: 1, health }],
  });
  const up = { ...initialHealth(at(100)), state: 'up', lastCheck: check('a', { at: at(100) }) } as const;
  const proven = fold(put('a', 'create'), transition(up));

  it.each([
    ['holds', check('a', { at: at(110) }), 'recovering', { state: 'up', failingSince: null }],
    [
      'fails again',
      failed('a', { at: at(110) }),
      'down',
      { state: 'suspect', failingSince: at(109), failures: 1 },
    ],
  ] as const)('its last check %s: that stands alone', (_what, lastCheck, state, expected) => {
    const stale = { ...downSince('a', at(5)), state, lastCheck };
    const { health } = reduceRegistry(proven, transition(stale)).invariants['a'] ?? {};
    expect(health).toMatchObject({ ...expected, lastCheck });
  });

  it('a failure that began after it was proven to hold counts as it came', () => {
    const anew = { ...downSince('a', at(105)), lastCheck: failed('a', { at: at(110) }) };
    expect(reduceRegistry(proven, transition(anew)).invariants['a']?.health).toEqual(anew);
  });
});

describe('transitions', () => {
  it.each([
    ['an older revision', down('a', 1)],
    ['an unknown invariant', down('none', 1)],
    ['an older check', down('a', 2, at(1))],
  ])('of %s are ignored', (_name, event) => {
    const before = fold(put('a', 'create'), put('a', 'replace', { priority: 'low' }), down('a', 2, at(9)));
    expect(reduceRegistry(before, event)).toEqual(before);
  });
});

describe('the file', () => {
  it('adds, changes, keeps what is the same, and disables what it no longer lists', () => {
    const before = fold(sync(['kept', 'gone']), down('kept', 1));
    const after = reduceRegistry(before, sync(['kept', 'new'], {}, at(9)));
    expect(after.invariants['kept']).toBe(before.invariants['kept']);
    expect(after.invariants['new']).toMatchObject({ source: 'file', health: { state: 'unknown' } });
    expect(after.invariants['gone']).toMatchObject({ source: 'api', definition: { enabled: false } });
  });

  it('read again unchanged is no change at all', () => {
    const before = fold(sync(['a', 'b']), down('a', 1));
    expect(reduceRegistry(before, sync(['a', 'b'], {}, at(9)))).toBe(before);
  });

  it('takes over an API-made invariant of the same id', () => {
    const before = fold(put('a', 'create', { priority: 'low' }), down('a', 1));
    const after = reduceRegistry(before, sync(['a']));
    expect(after.invariants['a']).toMatchObject({
      source: 'file',
      revision: 2,
      definition: { priority: 'medium' },
    });
    expect(rejectRegistryEvent(after, put('a', 'replace'))).toMatchObject({ code: 'file_owned' });
  });

  it('what it dropped can be purged by a person, and comes back with the file', () => {
    const dropped = fold(sync(['a']), sync([]));
    expect(rejectRegistryEvent(dropped, { type: 'remove', at: T0, id: 'a' })).toBeNull();
    expect(reduceRegistry(dropped, sync(['a'])).invariants['a']).toMatchObject({
      source: 'file',
      definition: { enabled: true },
    });
  });

  it('leaves API-made invariants alone', () => {
    const before = fold(put('mine', 'create'), down('mine', 1));
    expect(reduceRegistry(before, sync(['a'])).invariants['mine']).toBe(before.invariants['mine']);
  });
});

/** Deterministic, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

it('health that races with definition changes gives the same state in every order in which it may arrive', () => {
  const changes: RegistryEvent[] = [
    put('a', 'create'),
    sync(['b', 'c']),
    put('a', 'replace', { priority: 'low' }),
    sync(['b'], { timeoutMs: 99 }),
    { type: 'remove', at: T0, id: 'a' },
    put('a', 'create'),
  ];
  for (let seed = 1; seed <= 200; seed += 1) {
    const next = random(seed);
    // Monitors report on what they read: a revision that existed. Whether a change has overtaken them is chance.
    const reports = changes.flatMap((_change, index) => {
      const known = fold(...changes.slice(0, index + 1));
      return Object.values(known.invariants).map((one) => ({
        readAfter: index,
        event: down(one.definition.id, one.revision, at(10 * index)),
      }));
    });
    const interleave = (delay: () => number): RegistryState =>
      [
        ...changes.map((event, index) => ({ order: index, event })),
        ...reports.map(({ readAfter, event }) => ({ order: readAfter + 0.5 + delay(), event })),
      ]
        .sort((x, y) => x.order - y.order)
        .map(({ event }) => event)
        .reduce(reduceRegistry, EMPTY_REGISTRY);
    const promptly = interleave(() => 0);
    const late = interleave(() => Math.floor(next() * 3));
    expect(late).toEqual(promptly);
  }
});

describe('pauses', () => {
  const subject = { id: 'a', service: 'web' };
  const pause = (target: PauseTarget, when: number, until: number | null = null): RegistryEvent => ({
    type: 'pause',
    at: at(when),
    target,
    until: until === null ? null : at(until),
    by: 'ana',
  });
  const a: PauseTarget = { kind: 'invariant', invariantId: 'a' };
  const web: PauseTarget = { kind: 'service', service: 'web' };
  const watched = fold(
    put('a', 'create', { service: 'web' }),
    put('b', 'create'),
    down('a', 1),
    down('b', 2),
  );
  const stateOf = (state: RegistryState, id: string) => state.invariants[id]?.health.state;

  it.each([
    ['the invariant', a, 'unknown', 'down'],
    ['its service', web, 'unknown', 'down'],
    ['everything', { kind: 'all' }, 'unknown', 'unknown'],
  ] as const)('%s: what was known is void, of nothing else', (_name, target, ofA, ofB) => {
    const state = reduceRegistry(watched, pause(target, 10));
    expect([stateOf(state, 'a'), stateOf(state, 'b')]).toEqual([ofA, ofB]);
    expect(pauseOf(state.pauses, subject, at(11))).toMatchObject({ by: 'ana', until: null });
  });

  it('a check from before or during the pause is ignored, one from the moment of its end on is not', () => {
    const paused = reduceRegistry(watched, pause(a, 10, 20));
    for (const when of [9, 10, 19]) expect(reduceRegistry(paused, down('a', 1, at(when)))).toBe(paused);
    expect(stateOf(reduceRegistry(paused, down('a', 1, at(20))), 'a')).toBe('down');
    expect(pauseOf(paused.pauses, subject, at(19))).not.toBeNull();
    expect(pauseOf(paused.pauses, subject, at(20))).toBeNull();
  });

  it('under two pauses it is paused until the last one ends; each is lifted by its own name', () => {
    const both = [pause(web, 10), pause(a, 11, 20)].reduce(reduceRegistry, watched);
    expect(pauseOf(both.pauses, subject, at(12))).toMatchObject({ target: web });
    const left = reduceRegistry(both, { type: 'resume', at: at(12), target: web, by: 'ana' });
    expect(pauseOf(left.pauses, subject, at(12))).toMatchObject({ target: a });
    const none = reduceRegistry(both, { type: 'resume', at: at(12), target: { kind: 'all' }, by: 'ana' });
    expect(pauseOf(none.pauses, subject, at(12))).toBeNull();
  });

  it.each([
    [pause({ kind: 'invariant', invariantId: 'none' }, 10), 'not_found'],
    [pause(a, 10, 10), 'invalid'],
    [{ type: 'resume', at: at(10), target: a, by: 'ana' }, 'not_paused'],
  ] as const)('%j: %s', (event, code) => {
    expect(rejectRegistryEvent(watched, event)).toMatchObject({ code });
    expect(reduceRegistry(watched, event)).toBe(watched);
  });
});

describe('a dismissed failure', () => {
  const dismiss = (ids: readonly string[], until: string | null = null): RegistryEvent => ({
    type: 'dismissed',
    at: at(10),
    invariantIds: ids,
    until,
    by: 'ana',
  });
  const up = (invariantId: string, when: number): RegistryEvent => ({
    type: 'transitions',
    at: at(when),
    transitions: [
      {
        invariantId,
        revision: 1,
        health: { ...initialHealth(at(when)), state: 'up', lastCheck: check(invariantId, { at: at(when) }) },
      },
    ],
  });
  const failing = fold(put('a', 'create'), down('a', 1));
  const dismissed = reduceRegistry(failing, dismiss(['a', 'unknown']));
  const isDismissed = (state: RegistryState, when = at(11)) =>
    dismissalOf(state.dismissed, 'a', when) !== null;

  it('is remembered while it lasts, until the invariant was up once', () => {
    expect(isDismissed(dismissed)).toBe(true);
    expect(isDismissed(reduceRegistry(dismissed, down('a', 1, at(12))))).toBe(true);
    expect(isDismissed(reduceRegistry(dismissed, up('a', 12)))).toBe(false);
  });

  it('what is up again by then has nothing to dismiss: its next failure is another one', () => {
    const state = [up('a', 9), dismiss(['a'])].reduce(reduceRegistry, failing);
    expect(isDismissed(state)).toBe(false);
  });

  it('another definition is another rule', () => {
    const changed = reduceRegistry(dismissed, put('a', 'replace', { condition: 'status == 204' }));
    expect(isDismissed(changed)).toBe(false);
  });

  it('with an end it is over by then', () => {
    const state = reduceRegistry(failing, dismiss(['a'], at(20)));
    expect([isDismissed(state, at(19)), isDismissed(state, at(20))]).toEqual([true, false]);
  });
});
