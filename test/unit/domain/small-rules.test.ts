import { looksMisaddressed } from '../../../src/domain/check';
import { dismissalOf, forgetDismissal } from '../../../src/domain/dismissal';
import { countRelapses, relapseOf } from '../../../src/domain/earlier-tickets';
import type { EarlierTicket } from '../../../src/domain/earlier-tickets';
import { INVARIANT_ID } from '../../../src/domain/invariant';
import { isRecord } from '../../../src/domain/json';
import type { Json } from '../../../src/domain/json';
import { parseProcStat } from '../../../src/domain/proc-stat';
import { isActingTool, isToolName } from '../../../src/domain/tool';
import { at, failed, T0 } from '../../support/invariants';

describe('the ID of an invariant', () => {
  it.each(['a', '0', 'shop_healthy', 'a-b_c9', 'x'.repeat(64)])('%s is one', (id) => {
    expect(id).toMatch(INVARIANT_ID);
  });

  it.each(['', '_a', '-a', 'A', 'a/b', 'a b', 'x'.repeat(65), 'a\n'])('%j is none', (id) => {
    expect(id).not.toMatch(INVARIANT_ID);
  });
});

describe('a failed check at the wrong door', () => {
  it.each<[string, Record<string, Json>, boolean]>([
    ['nobody let it in', { connected: false }, true],
    ['not found', { connected: true, status: 404 }, true],
    ['wrong method', { connected: true, status: 405 }, true],
    ['not implemented', { connected: true, status: 501 }, true],
    ['let in, no answer', { connected: true }, false],
    ['the service is broken', { connected: true, status: 503 }, false],
    ['an answer that the rule dislikes', { connected: true, status: 200 }, false],
  ])('%s: %j → %s', (_name, resolved, expected) => {
    expect(looksMisaddressed(failed('a', { resolved }))).toBe(expected);
  });
});

describe('a dismissal', () => {
  const dismissed = { a: { by: 'ana', at: T0, until: null }, b: { by: 'ana', at: T0, until: at(1_000) } };

  it('without an end lasts until the invariant is up; with one until then', () => {
    expect(dismissalOf(dismissed, 'a', at(1e9))).toBe(dismissed.a);
    expect(dismissalOf(dismissed, 'b', at(999))).toBe(dismissed.b);
    expect(dismissalOf(dismissed, 'b', at(1_000))).toBeNull();
    expect(dismissalOf(dismissed, 'toString', T0)).toBeNull();
    expect(dismissalOf(undefined, 'a', T0)).toBeNull();
  });

  it('is forgotten alone, and nothing changes when there is none', () => {
    expect(forgetDismissal(dismissed, 'a')).toEqual({ b: dismissed.b });
    expect(forgetDismissal(dismissed, 'c')).toBe(dismissed);
  });
});

describe('a relapse', () => {
  const ticket = (id: string, closedAt: string | null): EarlierTicket => ({
    id,
    status: closedAt === null ? 'in_progress' : 'completed',
    resolution: closedAt === null ? null : 'fixed',
    detectedAt: T0,
    closedAt,
    suspectedCause: '',
  });

  it.each<[string, EarlierTicket[], string | null]>([
    ['no earlier ticket', [], null],
    ['the last closed one, whatever the order', [ticket('old', at(0)), ticket('last', at(5_000))], 'last'],
    ['only an open one', [ticket('open', null)], null],
    ['closed longer ago than the cooldown', [ticket('old', at(-60_000))], null],
  ])('%s', (_name, earlier, expected) => {
    expect(relapseOf(earlier, at(6_000), 10_000)).toBe(expected);
  });
});

describe('/proc/<pid>/stat', () => {
  const rest = Array.from({ length: 15 }, (_, index) => String(index + 7)).join(' ');

  it('is read from behind the name, whatever the name contains', () => {
    expect(parseProcStat(`42 (a (b) c) S 1 42 40 ${rest} 777 9`)).toEqual({
      state: 'S',
      parent: 1,
      group: 42,
      session: 40,
      startTicks: 777,
    });
  });

  it.each(['', 'nonsense', '42 (name'])('%j is no such line', (text) => {
    expect(parseProcStat(text)).toBeNull();
  });
});

it.each<[Json, boolean]>([
  [{}, true],
  [[], false],
  [null, false],
  ['x', false],
  [1, false],
])('%j is a record: %s', (value, expected) => {
  expect(isRecord(value)).toBe(expected);
});

it('every tool that changes something outside the ticket counts as acting, no other does', () => {
  expect(['service_control', 'edit_file', 'restore_file', 'undo_edits'].map(isKnownActing)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['inspect_service', 'read_file', 'update_ticket_status'].map(isKnownActing)).toEqual([
    false,
    false,
    false,
  ]);
  expect(isToolName('rm_rf')).toBe(false);
});

function isKnownActing(name: string): boolean {
  if (!isToolName(name)) throw new Error(`${name} is no tool`);
  return isActingTool(name);
}

describe('countRelapses', () => {
  const T0_MS = Date.parse('2026-01-01T00:00:00.000Z');
  const moment = (seconds: number) => new Date(T0_MS + seconds * 1_000).toISOString();
  const ticket = (detected: number, closed: number, resolution = 'fixed') => ({
    resolution,
    detectedAt: moment(detected),
    closedAt: moment(closed),
  });
  it.each([
    ['nothing before', [], 100, 0],
    ['failed again after 59 s', [ticket(0, 10)], 69, 1],
    ['failed again after a minute: a separate failure', [ticket(0, 10)], 70, 0],
    ['came back by itself: no repair that did not last', [ticket(0, 10, 'self_recovered')], 20, 0],
    ['a chain, newest first', [ticket(60, 70), ticket(30, 40), ticket(0, 10)], 90, 3],
    ['a chain with a rest in it', [ticket(300, 310), ticket(30, 40), ticket(0, 10)], 320, 2],
    ['relapses from more than ten minutes ago', [ticket(0, 10), ticket(30, 40), ticket(700, 710)], 720, 1],
  ])('%s', (_name, earlier, now, expected) => {
    expect(countRelapses(earlier, moment(now), 600_000)).toBe(expected);
  });
});
