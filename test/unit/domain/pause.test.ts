import { activePauses, addPause, liftPause, pauseOf } from '../../../src/domain/pause';
import type { Pause, PauseTarget } from '../../../src/domain/pause';
import { at, T0 } from '../../support/invariants';

const pause = (target: PauseTarget, until: string | null = null): Pause => ({
  target,
  by: 'ana',
  at: T0,
  until,
});
const ALL = pause({ kind: 'all' });
const SHOP = pause({ kind: 'service', service: 'shop' }, at(5_000));
const PAYS = pause({ kind: 'invariant', invariantId: 'pays' });
const pays = { id: 'pays', service: 'shop' };
const answers = { id: 'answers', service: 'shop' };
const lonely = { id: 'lonely', service: null };

it.each<[string, Pause, object, boolean]>([
  ['everything covers all', ALL, lonely, true],
  ['a service covers its invariants', SHOP, answers, true],
  ['a service covers no other', SHOP, lonely, false],
  ['an invariant covers itself', PAYS, pays, true],
  ['an invariant covers no neighbour', PAYS, answers, false],
])('%s', (_name, one, subject, expected) => {
  expect(pauseOf(addPause(undefined, one), subject as typeof pays, at(1)) !== null).toBe(expected);
});

it('ends by itself at the time given, decided by the time of the check', () => {
  const pauses = addPause(undefined, SHOP);
  expect(pauseOf(pauses, answers, at(4_999))).toEqual(SHOP);
  expect(pauseOf(pauses, answers, at(5_000))).toBeNull();
});

it('of several, the one that ends last counts', () => {
  const pauses = addPause(addPause(undefined, SHOP), PAYS);
  expect(pauseOf(pauses, pays, at(1))).toEqual(PAYS);
});

it('a second pause of one target replaces the first; ended ones are dropped', () => {
  const longer = pause({ kind: 'service', service: 'shop' }, at(9_000));
  expect(activePauses(addPause(addPause(undefined, SHOP), longer), at(1))).toEqual([longer]);
  const late = { ...PAYS, at: at(6_000) };
  expect(Object.values(addPause(addPause(undefined, SHOP), late))).toEqual([late]);
});

it('lifting one leaves the others, lifting everything leaves none', () => {
  const pauses = addPause(addPause(undefined, SHOP), PAYS);
  expect(Object.values(liftPause(pauses, SHOP.target, at(1)))).toEqual([PAYS]);
  expect(liftPause(pauses, { kind: 'all' }, at(1))).toEqual({});
});
