import {
  errorClass,
  findIncidents,
  indexTickets,
  isKnownTo,
  isRecovered,
} from '../../../src/domain/incident';
import type { OpenTicket } from '../../../src/domain/incident';
import type { RegisteredInvariant } from '../../../src/domain/registry';
import { at, downSince, registered } from '../../support/invariants';

const NOW = at(1_000);
const down = (id: string, ms: number, over: Parameters<typeof registered>[1] = {}): RegisteredInvariant =>
  registered(id, { service: 'web', ...over }, downSince(id, at(ms)));
const up = (id: string, service = 'web'): RegisteredInvariant => registered(id, { service }, { state: 'up' });
const ticket = (invariantId: string, over: Partial<OpenTicket> = {}): OpenTicket => ({
  invariantId,
  service: 'web',
  ticketId: 't1',
  runId: 'r1',
  status: 'in_progress',
  joinedInvariants: [],
  failure: null,
  fingerprint: null,
  ...over,
});
const owners = (invariants: RegisteredInvariant[], tickets: OpenTicket[] = []): string[] =>
  findIncidents(invariants, tickets, NOW).map((incident) => incident.invariantId);

describe('findIncidents', () => {
  it('all DOWN invariants of a service are one incident, owned by the first that failed', () => {
    const incidents = findIncidents(
      [down('late', 20), down('first', 10, { priority: 'low' }), up('fine')],
      [],
      NOW,
    );
    expect(incidents).toHaveLength(1);
    expect(incidents[0]).toMatchObject({
      invariantId: 'first',
      service: 'web',
      detectedAt: at(10),
      priority: 'medium',
      check: { invariantId: 'first' },
    });
    expect(incidents[0]?.joined.map((one) => one.invariantId)).toEqual(['late']);
  });

  it('two that failed in the same millisecond: the lower id owns it, in any order', () => {
    expect(owners([down('b', 10), down('a', 10)])).toEqual(['a']);
    expect(owners([down('a', 10), down('b', 10)])).toEqual(['a']);
  });

  it('invariants without a service are incidents of their own', () => {
    expect(owners([down('a', 10, { service: null }), down('b', 20, { service: null })])).toEqual(['a', 'b']);
  });

  it('critical comes before older', () => {
    const incidents = [
      down('old', 1, { service: 's1' }),
      down('new', 9, { service: 's2', priority: 'critical' }),
    ];
    expect(owners(incidents)).toEqual(['new', 'old']);
  });

  it.each([
    ['its own ticket', ticket('a')],
    ['a ticket it joined', ticket('z', { service: null, joinedInvariants: ['a'] })],
    ['a ticket of its service', ticket('z')],
    ['a blocked ticket', ticket('a', { status: 'blocked' })],
  ])('%s is enough', (_name, open) => {
    expect(owners([down('a', 10)], [open])).toEqual([]);
  });

  it('a ticket of another service, or of none, covers nothing', () => {
    expect(owners([down('a', 10)], [ticket('z', { service: 'db' }), ticket('y', { service: null })])).toEqual(
      ['a'],
    );
    expect(owners([down('a', 10, { service: null })], [ticket('y', { service: null })])).toEqual(['a']);
  });

  it.each(['up', 'suspect', 'recovering', 'unknown'] as const)('%s is no incident', (state) => {
    expect(owners([registered('a', { service: 'web' }, { ...downSince('a', at(1)), state })])).toEqual([]);
  });
});

describe('suppression', () => {
  const db = down('db', 50, { service: 'db' });
  it('one that another DOWN invariant suppresses opens no ticket', () => {
    expect(owners([down('web', 10, { suppressedBy: ['db'] }), db])).toEqual(['db']);
  });
  it.each(['suspect', 'recovering'] as const)('also while that one is %s: it is not decided yet', (state) => {
    const undecided = registered('db', { service: 'db' }, { ...downSince('db', at(50)), state });
    expect(owners([down('web', 10, { suppressedBy: ['db'] }), undecided])).toEqual([]);
  });
  it.each([
    ['for longer than 10 s', at(1_000 - 10_001)],
    ['since a time that has not come: the clock was set back', at(1_001)],
  ])('but not when that one is undecided %s', (_how, since) => {
    const undecided = registered('db', { service: 'db' }, { ...downSince('db', since), state: 'suspect' });
    expect(owners([down('web', 10, { suppressedBy: ['db'] }), undecided])).toEqual(['web']);
  });
  it.each(['up', 'unknown'] as const)('but does when that one is %s', (state) => {
    const other = registered('db', { service: 'db' }, { state });
    expect(owners([down('web', 10, { suppressedBy: ['db'] }), other])).toEqual(['web']);
  });
  it('goes on over a suppressed one in between', () => {
    const middle = down('mid', 20, { service: 'mid', suppressedBy: ['db'] });
    expect(owners([down('web', 10, { suppressedBy: ['mid'] }), middle, db])).toEqual(['db']);
  });
  it('leaves the service its other failures, and the suppressed one joins', () => {
    const incidents = findIncidents(
      [down('web', 10, { suppressedBy: ['db'] }), down('web2', 30), db],
      [],
      NOW,
    );
    const own = incidents.find((incident) => incident.invariantId === 'web2');
    expect(own?.joined.map((one) => one.invariantId)).toEqual(['web']);
  });
  it('in a circle suppresses nobody: a failure is never lost', () => {
    const circle = [
      down('a', 10, { service: 'a', suppressedBy: ['b'] }),
      down('b', 20, { service: 'b', suppressedBy: ['a'] }),
    ];
    expect(owners(circle)).toEqual(['a', 'b']);
  });
});

const byId = (invariants: readonly RegisteredInvariant[]) =>
  new Map(invariants.map((one) => [one.definition.id, one]));

describe('isRecovered', () => {
  it.each([
    ['its invariant holds', [up('a')], [], true],
    ['also the one that joined', [up('a'), up('b')], ['b'], true],
    ['one that joined is still down', [up('a'), down('b', 1)], ['b'], false],
    ['its own is still down', [down('a', 1), up('b')], ['b'], false],
    ['its own was removed', [up('b')], ['b'], false],
    ['one that joined was removed', [up('a')], ['b'], true],
    ['another of the service is down, which it is not about', [up('a'), down('c', 1)], [], true],
  ])('%s', (_name, invariants, joinedInvariants, expected) => {
    expect(isRecovered(ticket('a', { joinedInvariants }), byId(invariants))).toBe(expected);
  });
});

it('a finder prefers the own ticket to one of the service', () => {
  const own = ticket('a', { runId: 'own' });
  expect(indexTickets([ticket('z'), own])(down('a', 1))).toBe(own);
});

describe('errorClass', () => {
  it.each([
    ['latency_ms < 200.0 is false (latency_ms 512.3)', 'latency_ms < 200.0 is false (latency_ms 498)', true],
    ['no answer within 2000 ms', 'no answer within 700 ms', true],
    ['status == 200 is false (status 503)', 'status == 200 is false (status 500)', false],
    ['connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED 127.0.0.1:2', false],
    ['port 1 is answered by pid 7 (x), not by web', 'port 1 is answered by pid 8 (x), not by web', true],
    ['port 1 is answered by pid 7 (x), not by web', 'port 1 is answered by pid 7 (y), not by web', false],
    ['read ECONNRESET', null, false],
  ])('%s ~ %s: %s', (a, b, same) => {
    expect(errorClass(a) === errorClass(b)).toBe(same);
  });
});

it('a ticket whose list is full knows everything of its service, and waits for all of it', () => {
  const joinedInvariants = Array.from({ length: 16 }, (_item, index) => `j${index}`);
  const full = ticket('a', { service: 'shop', joinedInvariants });
  const seventeenth = registered('z', { service: 'shop' }, { state: 'down' });
  const own = registered('a', { service: 'shop' }, { state: 'up' });
  expect(isKnownTo(full, seventeenth.definition)).toBe(true);
  expect(isKnownTo({ ...full, joinedInvariants: ['b'] }, seventeenth.definition)).toBe(false);
  expect(isRecovered(full, byId([own, seventeenth]))).toBe(false);
  expect(isRecovered(full, byId([own]))).toBe(true);
});
