import { indexTickets } from '../../../src/domain/incident';
import type { OpenTicket } from '../../../src/domain/incident';
import type { HealthState } from '../../../src/domain/health';
import type { ServiceStatus } from '../../../src/domain/service-state';
import { isExcused, isNews, secondLook, ticketToTell } from '../../../src/domain/sweep';
import { at, definition, downSince, failed, registered, T0 } from '../../support/invariants';

const health = (state: HealthState, over: object = {}) => ({ ...downSince('a', T0), state, ...over });

describe('a second look within the sweep', () => {
  it('a suspect is looked at quickly, a recovering one with its whole time limit', () => {
    expect(secondLook(health('suspect'), definition('a'), 0)).toEqual({ afterMs: 250, timeoutMs: 700 });
    expect(secondLook(health('recovering'), definition('a'), 0)).toEqual({ afterMs: 500, timeoutMs: 2_000 });
    expect(secondLook(health('suspect'), definition('a', { timeoutMs: 100 }), 0)?.timeoutMs).toBe(100);
  });

  it.each([
    [100, 150, 400],
    [2_000, 0, 0],
  ])('the pause is from start to start: after a look of %i ms', (tookMs, suspectMs, recoveringMs) => {
    expect(secondLook(health('suspect'), definition('a'), tookMs)?.afterMs).toBe(suspectMs);
    expect(secondLook(health('recovering'), definition('a'), tookMs)?.afterMs).toBe(recoveringMs);
  });

  it.each(['unknown', 'up', 'down'] as const)('%s is decided', (state) => {
    expect(secondLook(health(state), definition('a'), 0)).toBeNull();
  });
});

it.each<[string, object, object, boolean]>([
  ['another state', health('up'), health('suspect'), true],
  ['still up', health('up'), health('up'), false],
  ['another count of a suspect', health('suspect'), health('suspect', { failures: 4 }), true],
  ['down as before', health('down'), health('down', { since: T0 }), false],
  [
    'down in another way',
    health('down'),
    health('down', { lastCheck: failed('a', { error: 'status 500' }) }),
    true,
  ],
])('%s: news %s', (_name, before, after, expected) => {
  expect(isNews(before as ReturnType<typeof health>, after as ReturnType<typeof health>)).toBe(expected);
});

describe('the open ticket that must hear of a failure', () => {
  const ticket: OpenTicket = {
    invariantId: 'a',
    service: 'shop',
    ticketId: 'T',
    runId: 'r',
    status: 'in_progress',
    joinedInvariants: ['b'],
    failure: null,
    fingerprint: null,
  };
  const observed = (id: string, before: object, error = 'connect ECONNREFUSED 127.0.0.1:1') => ({
    before: registered(id, { service: 'shop' }, before),
    health: { ...downSince(id, at(1)), lastCheck: failed(id, { error }) },
    check: failed(id, { error }),
  });

  it.each<[string, ReturnType<typeof observed>, boolean]>([
    ['another invariant of its service', observed('c', downSince('c', T0)), true],
    ['one that joined, failing as before', observed('b', downSince('b', T0)), false],
    ['one that joined, failing anew', observed('b', { state: 'up' }), true],
    ['its own, failing in another way', observed('a', downSince('a', T0), 'status 500'), true],
  ])('%s', (_name, one, expected) => {
    expect(ticketToTell(one, indexTickets([ticket]))).toBe(expected ? ticket : null);
  });

  it('is none when the failure has none', () => {
    expect(ticketToTell(observed('c', {}), indexTickets([]))).toBeNull();
  });
});

it.each<[string, Partial<ServiceStatus>, boolean]>([
  ['stopped by a person', { desired: 'stopped' }, true],
  ['booting for the first time', { state: 'starting', restarts: 0 }, true],
  ['booting after a crash', { state: 'starting', restarts: 1 }, false],
  ['dead', { state: 'exited' }, false],
])('a service that is %s is excused: %s', (_name, over, expected) => {
  const service = {
    name: 'shop',
    state: 'running',
    pid: 1,
    startedAt: T0,
    exit: null,
    restarts: 0,
    ready: true,
    desired: 'running',
    ...over,
  } as const;
  expect(isExcused(service)).toBe(expected);
  expect(isExcused(undefined)).toBe(false);
});
