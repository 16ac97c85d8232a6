import { ControlRefused, ControlUnreachable } from '../../../src/client/control-errors';
import type { RegistryState } from '../../../src/domain/registry';
import type { ControlRequest, ControlResult, ServiceStatus } from '../../../src/domain/service-state';
import { costOfTicket } from '../../../src/domain/ticket-cost';
import type { TicketDetail } from '../../../src/domain/ticket-view';
import type { Component, DismissedFailure, WebDependencies } from '../../../src/web/dependencies';
import { Problem } from '../../../src/web/problem';
import type { CancelReason, RegistryChange } from '../../../src/workflows/contract';
import { at, check, downSince, registered, T0 } from '../../support/invariants';
import type { TestApi } from './support';
import { dependencies, startApi } from './support';

let api: TestApi;
afterEach(() => api.close());

const service: ServiceStatus = {
  name: 'api',
  state: 'running',
  pid: 12,
  startedAt: T0,
  exit: { code: null, signal: 'SIGKILL', at: T0 },
  restarts: 2,
  ready: true,
  desired: 'running',
};

describe('services', () => {
  const startServices = (given: WebDependencies['control']) =>
    startApi({
      control: given,
      registry: { ...dependencies().registry, read: () => Promise.reject(new Error('no registry')) },
    });

  function control(
    outcome: ControlResult['outcome'],
    asked: ControlRequest[] = [],
  ): WebDependencies['control'] {
    return {
      snapshot: () => Promise.resolve({ services: [service], components: [] }),
      act(request) {
        asked.push(request);
        return Promise.resolve({ outcome, service, message: 'it was so', lastLines: ['boom'] });
      },
    };
  }

  it('list and one, in the words of the contract', async () => {
    api = await startServices(control('noop'));
    const wire = {
      name: 'api',
      state: 'running',
      pid: 12,
      started_at: T0,
      exit: { code: null, signal: 'SIGKILL', at: T0 },
      restarts: 2,
      ready: true,
      desired: 'running',
      paused_by: null,
      paused_until: null,
    };
    expect((await api.ask('GET', '/api/v1/services')).body).toEqual({ items: [wire], next_cursor: null });
    expect((await api.ask('GET', '/api/v1/services/api')).body).toEqual(wire);
    expect(await api.ask('GET', '/api/v1/services/nope')).toMatchObject({
      status: 404,
      body: { detail: 'There is no service "nope". Configured: api.' },
    });
  });

  it.each(['start', 'stop', 'restart'] as const)(
    '%s: ordered by a person, answered when done',
    async (action) => {
      const asked: ControlRequest[] = [];
      api = await startServices(control('performed', asked));
      expect(await api.ask('POST', `/api/v1/services/api/${action}`)).toMatchObject({
        status: 200,
        body: { outcome: 'performed', message: 'it was so', service: { name: 'api' } },
      });
      expect(asked).toEqual([{ service: 'api', action, by: 'person' }]);
    },
  );

  it('a start that failed is no success: 502 with the last lines of its log', async () => {
    api = await startServices(control('failed'));
    expect(await api.ask('POST', '/api/v1/services/api/start')).toMatchObject({
      status: 502,
      body: { detail: 'it was so', outcome: 'failed', last_lines: ['boom'] },
    });
  });

  it('unknown, no supervisor, refused: 404, 503, 409', async () => {
    api = await startServices(control('noop'));
    expect((await api.ask('POST', '/api/v1/services/nope/stop')).status).toBe(404);
    await api.close();
    const gone = () => Promise.reject(new ControlUnreachable('/s', 'ENOENT', false));
    api = await startApi({ control: { snapshot: gone, act: gone } });
    expect((await api.ask('POST', '/api/v1/services/api/stop')).status).toBe(503);
    await api.close();
    const refuse = () => Promise.reject(new ControlRefused(409, 'not ours'));
    api = await startApi({ control: { ...control('noop'), act: refuse } });
    expect(await api.ask('POST', '/api/v1/services/api/stop')).toMatchObject({
      status: 409,
      body: { detail: 'not ours' },
    });
  });
});

describe('invariants', () => {
  const state: RegistryState = {
    revision: 3,
    invariants: {
      a: { ...registered('a', {}, downSince('a', T0)), source: 'api' },
      b: registered('b', {
        enabled: false,
        request: { method: 'GET', headers: { Authorization: 'Basic abc' }, body: null, followRedirects: 0 },
      }),
    },
  };
  const run = { ticketId: 'T1', workflowId: 'a', runId: 'r' };
  const unheard = () => Promise.reject(new Error('nobody dismisses here'));

  function deps(changes: RegistryChange[] = [], cancels: CancelReason[] = []): Partial<WebDependencies> {
    return {
      registry: {
        read: () => Promise.resolve(state),
        change(change) {
          changes.push(change);
          return Promise.resolve();
        },
        dismiss: unheard,
      },
      control: { ...dependencies().control, snapshot: () => Promise.reject(new Error('no supervisor')) },
      openTickets: () => Promise.resolve(new Map([['a', run]])),
      samples: () =>
        Promise.resolve({
          items: { a: [check('a', { ok: false, at: 'later' })] },
          lastSweepAt: null,
          lastError: null,
        }),
      commands: {
        ...dependencies().commands,
        cancel(_run, reason) {
          cancels.push(reason);
          return Promise.resolve(true);
        },
      },
    };
  }

  it('list: health, newest sample, open ticket; a disabled one is paused; secrets in headers stay hidden', async () => {
    api = await startApi(deps());
    expect((await api.ask('GET', '/api/v1/invariants')).body).toMatchObject({
      next_cursor: null,
      items: [
        {
          id: 'a',
          source: 'api',
          state: 'down',
          since: T0,
          last_check: { at: 'later', ok: false },
          open_ticket_id: 'T1',
          uptime_24h: null,
        },
        {
          id: 'b',
          state: 'paused',
          last_check: null,
          open_ticket_id: null,
          request: { headers: { Authorization: '[hidden]' } },
        },
      ],
    });
  });

  it('the monitor has no samples: the last check of the registry is shown', async () => {
    api = await startApi({ ...deps(), samples: () => Promise.resolve(null) });
    expect((await api.ask('GET', '/api/v1/invariants/a')).body).toMatchObject({ last_check: { at: T0 } });
  });

  it('nobody checks: the last known state is not shown as the state of now', async () => {
    const components = () => Promise.resolve([{ name: 'monitor', status: 'down', detail: 'ended' } as const]);
    api = await startApi({ ...deps(), components });
    expect((await api.ask('GET', '/api/v1/invariants/a')).body).toMatchObject({ state: 'unknown' });
  });

  it('an API-made invariant may not point at the harness itself; the reason is told', async () => {
    const changes: RegistryChange[] = [];
    api = await startApi({
      ...deps(changes),
      refuseTarget: () => Promise.resolve('port 1 belongs to the harness'),
    });
    const body = { id: 'c', query: 'http://127.0.0.1:1/', condition: 'status == 200' };
    expect(await api.ask('POST', '/api/v1/invariants', { body })).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('query: port 1 belongs to the harness') as string },
    });
    expect(changes).toEqual([]);
  });

  it('a patch is merged with what is there and checked as a whole', async () => {
    const changes: RegistryChange[] = [];
    api = await startApi(deps(changes));
    const body = { recover: { successes: 7 }, timeout: '1s' };
    expect((await api.ask('PATCH', '/api/v1/invariants/a', { body })).status).toBe(200);
    expect(changes).toMatchObject([
      {
        type: 'put',
        mode: 'replace',
        definition: { id: 'a', timeoutMs: 1_000, recover: { successes: 7, spacingMs: 500 } },
      },
    ]);
  });

  it.each([
    ['PATCH', '/a', { id: 'other' }, 422, 'an ID cannot be changed'],
    ['PATCH', '/a', { condition: 'status ==' }, 422, 'column'],
    ['PATCH', '/a', { conditon: 'status == 200' }, 422, 'unknown key "conditon"'],
    ['PATCH', '/a', [], 422, 'JSON object'],
    ['PATCH', '/zzz', {}, 404, 'no invariant "zzz"'],
    ['PATCH', '/__proto__', {}, 404, '__proto__'],
    ['POST', '', { id: 'c', query: 'ftp://x', condition: 'status == 200' }, 422, 'query'],
    ['POST', '', { id: 'C!', query: 'tcp://h:1', condition: 'connected' }, 422, 'id'],
    ['POST', '', { id: 'c', query: 'tcp://h:1' }, 422, 'condition: missing'],
    [
      'POST',
      '',
      { id: 'c', query: 'tcp://h:1', condition: 'connected', service: 'nope' },
      422,
      'no service "nope"',
    ],
    [
      'POST',
      '',
      { id: 'c', query: 'tcp://h:1', condition: 'connected', suppressed_by: ['x'] },
      422,
      'no invariant "x"',
    ],
    ['DELETE', '/a?purge=yes', undefined, 400, 'purge'],
    ['DELETE', '/zzz', undefined, 404, 'zzz'],
  ])('%s %s %j: %d, and nothing is changed', async (method, path, body, status, named) => {
    const changes: RegistryChange[] = [];
    api = await startApi(deps(changes));
    const answer = await api.ask(method, `/api/v1/invariants${path}`, { body });
    expect(answer).toMatchObject({ status, body: { detail: expect.stringContaining(named) as string } });
    expect(changes).toEqual([]);
  });

  it('delete disables, purge removes, and the open ticket is dismissed', async () => {
    const changes: RegistryChange[] = [];
    const cancels: CancelReason[] = [];
    api = await startApi(deps(changes, cancels));
    expect((await api.ask('DELETE', '/api/v1/invariants/a')).status).toBe(200);
    expect((await api.ask('DELETE', '/api/v1/invariants/a?purge=true')).status).toBe(204);
    expect(changes).toEqual([
      { type: 'set_enabled', at: T0, id: 'a', enabled: false },
      { type: 'remove', at: T0, id: 'a' },
    ]);
    expect(cancels.map(({ mode }) => mode)).toEqual(['dismiss', 'dismiss']);
  });

  it('a refused change dismisses nothing', async () => {
    const cancels: CancelReason[] = [];
    const refuse = () =>
      Promise.reject(new Problem(409, 'Owned by the configuration file', 'change harness.yaml'));
    const over = deps([], cancels);
    api = await startApi({
      ...over,
      registry: { read: () => Promise.resolve(state), change: refuse, dismiss: unheard },
    });
    expect((await api.ask('DELETE', '/api/v1/invariants/b')).status).toBe(409);
    expect(cancels).toEqual([]);
  });

  it('check: the result with its values; a disabled one is 409', async () => {
    const found = check('a', { resolved: { status: 200 } });
    api = await startApi({ ...deps(), checkNow: (id) => Promise.resolve(id === 'a' ? found : null) });
    expect((await api.ask('POST', '/api/v1/invariants/a/check')).body).toEqual({
      invariant_id: 'a',
      at: T0,
      ok: true,
      latency_ms: 1,
      resolved: { status: 200 },
      error: null,
    });
    expect((await api.ask('POST', '/api/v1/invariants/b/check')).status).toBe(409);
  });
});

describe('readiness', () => {
  const all = (over: Partial<Record<Component['name'], Component['status']>>): Component[] =>
    (['temporal', 'monitor', 'agent', 'supervisor'] as const).map((name) => ({
      name,
      status: over[name] ?? 'ok',
      detail: 'd',
    }));

  it.each([
    [{}, 200, 'ok'],
    [{ agent: 'degraded' }, 200, 'degraded'],
    [{ agent: 'down', supervisor: 'down' }, 200, 'degraded'],
    [{ monitor: 'down' }, 503, 'down'],
    [{ temporal: 'down', monitor: 'down' }, 503, 'down'],
  ] as const)('%j: %d %s, and every component is listed', async (over, code, status) => {
    const components = all(over);
    api = await startApi({ components: () => Promise.resolve(components) });
    expect(await api.ask('GET', '/ready')).toMatchObject({ status: code, body: { status, components } });
  });

  it('metrics: components and open tickets, also while Temporal does not answer', async () => {
    api = await startApi({
      components: () => Promise.resolve(all({ temporal: 'down', agent: 'degraded' })),
      openTickets: () => Promise.reject(new Error('unavailable')),
    });
    const { status, body } = await api.ask('GET', '/metrics');
    expect(status).toBe(200);
    expect(body).toContain('harness_component_up{component="temporal"} 0\n');
    expect(body).toContain('harness_component_up{component="agent"} 0.5\n');
    expect(body).not.toMatch(/^harness_open_tickets /m);
  });
});

it('a ticket that closes between look and note: 409, not a lost note', async () => {
  const closed = () => Promise.resolve(false);
  api = await startApi({
    ...ofTicket({ status: 'blocked' }),
    commands: { note: closed, cancel: closed, retry: closed },
  });
  expect((await api.ask('POST', '/api/v1/tickets/T1/notes', { body: { text: 'x' } })).status).toBe(409);
  expect((await api.ask('POST', '/api/v1/tickets/T1/cancel')).status).toBe(409);
  expect((await api.ask('POST', '/api/v1/tickets/T1/retry')).status).toBe(409);
});

it.each([
  ['dismiss', null],
  ['cancel', at(600_000)],
] as const)('%s: the registry hears of it before the ticket does, for how long: %s', async (mode, until) => {
  const order: (DismissedFailure | CancelReason)[] = [];
  api = await startApi(ofTicket({ status: 'in_progress', joinedInvariants: ['b'] }, order));
  const body = { reason: 'known', by: 'ana' };
  expect((await api.ask('POST', `/api/v1/tickets/T1/${mode}`, { body })).status).toBe(202);
  expect(order).toEqual([
    { at: T0, invariantIds: ['a', 'b'], until, by: 'ana' },
    { by: 'ana', reason: 'known', mode },
  ]);
});

it('retry: only of a blocked ticket', async () => {
  api = await startApi(ofTicket({ status: 'blocked' }));
  expect((await api.ask('POST', '/api/v1/tickets/T1/retry')).status).toBe(202);
  await api.close();
  api = await startApi(ofTicket({ status: 'in_progress' }));
  expect((await api.ask('POST', '/api/v1/tickets/T1/retry')).status).toBe(409);
});

function ofTicket(
  over: Partial<TicketDetail>,
  heard: (DismissedFailure | CancelReason)[] = [],
): Partial<WebDependencies> {
  const ticket = {
    id: 'T1',
    invariantId: 'a',
    joinedInvariants: [],
    workflowId: 'a',
    runId: 'r',
    cost: costOfTicket({ turns: [], costUsd: null }),
    ...over,
  } as Partial<TicketDetail> as TicketDetail;
  const hear = (what: DismissedFailure | CancelReason) => void heard.push(what);
  return {
    tickets: { ...dependencies().tickets, get: () => Promise.resolve(ticket) },
    registry: { ...dependencies().registry, dismiss: (failure) => Promise.resolve(hear(failure)) },
    commands: {
      note: () => Promise.resolve(true),
      cancel: (_run, reason) => {
        hear(reason);
        return Promise.resolve(true);
      },
      retry: () => Promise.resolve(true),
    },
  };
}
