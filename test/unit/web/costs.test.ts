import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { TicketSpec } from '../../../src/domain/ticket';
import { ticketView, withUndos } from '../../../src/domain/ticket-view';
import type { Trajectory, TrajectoryTurn } from '../../../src/domain/trajectory';
import { T0 } from '../../support/invariants';
import type { TestApi } from './support';
import { dependencies, startApi } from './support';

let api: TestApi;
afterEach(() => api.close());

const tokens = { input: 100, cacheWrite5m: 20, cacheWrite1h: 3, cacheRead: 4_000, output: 50 };
const TOKENS = { input: 100, cache_write_5m: 20, cache_write_1h: 3, cache_read: 4_000, output: 50 };
const NONE = { input: 0, cache_write_5m: 0, cache_write_1h: 0, cache_read: 0, output: 0 };

const turn = (over: Partial<TrajectoryTurn>): TrajectoryTurn => ({
  turn: 1,
  attempt: 1,
  brain: 'claude',
  model: { name: 'claude-opus-5-5', stopReason: 'tool_use', requestId: 'req_1', tokens, usd: 0.1 + 0.2 },
  text: 'I look',
  startedAt: T0,
  endedAt: T0,
  calls: [],
  ...over,
});

function trajectory(over: Partial<Trajectory> = {}): Trajectory {
  const ticket: Partial<TicketSpec> = { id: 'T1', invariantId: 'a', service: 'api', evidence: [] };
  return { ...foldTrajectory([]), attempt: 1, ticket: ticket as TicketSpec, ...over };
}

async function serve(found: Trajectory): Promise<TestApi> {
  const view = ticketView(found, null);
  if (!view) throw new Error('no ticket');
  return await startApi({
    tickets: {
      list: () => Promise.resolve({ items: [view], nextCursor: null }),
      get: () => Promise.resolve(withUndos(view, [])),
      trajectory: () => Promise.resolve(found),
    },
    spend: () =>
      Promise.resolve({ todayUsd: 0.1 + 0.2, totalUsd: 12.5, since: '2026-01-01', unpricedCalls: 2 }),
  });
}

const handedOver = trajectory({
  turns: [turn({}), turn({ turn: 2, brain: 'runbook', model: null })],
  costUsd: 0.4,
  attemptCostUsd: 0.35,
});

it('a list and a ticket say what it cost; the ticket also by whom, in each turn, and of which budget', async () => {
  api = await serve(handedOver);
  const cost = { cost: 0.4, tokens: TOKENS };
  expect(await api.ask('GET', '/api/v1/tickets')).toMatchObject({ body: { items: [cost] } });
  const { body } = await api.ask('GET', '/api/v1/tickets/T1');
  expect(body).toMatchObject({
    ...cost,
    brains: ['claude', 'runbook'],
    budget_used: { turns: 2, usd: 0.35, tokens: 173 },
    budget_limits: { turns: 25, usd: 0.5, tokens: 400_000 },
  });
  expect((body as { turns: unknown }).turns).toEqual([
    {
      turn: 1,
      attempt: 1,
      brain: 'claude',
      model: 'claude-opus-5-5',
      tokens: TOKENS,
      usd: 0.3,
      stop_reason: 'tool_use',
      request_id: 'req_1',
      started_at: T0,
      ended_at: T0,
    },
    {
      turn: 2,
      attempt: 1,
      brain: 'runbook',
      model: null,
      tokens: null,
      usd: null,
      stop_reason: null,
      request_id: null,
      started_at: T0,
      ended_at: T0,
    },
  ]);
});

it('the trajectory says it of each turn, beside what the turn said', async () => {
  api = await serve(handedOver);
  expect(await api.ask('GET', '/api/v1/tickets/T1/trajectory')).toMatchObject({
    body: {
      cost: 0.4,
      tokens: TOKENS,
      turns: [
        {
          text: 'I look',
          model: 'claude-opus-5-5',
          tokens: TOKENS,
          usd: 0.3,
          request_id: 'req_1',
          calls: [],
        },
        { text: 'I look', model: null, tokens: null, usd: null, calls: [] },
      ],
    },
  });
});

it('without a model the cost is 0, with one of unknown price it is null', async () => {
  api = await serve(trajectory({ turns: [turn({ brain: 'runbook', model: null })] }));
  expect(await api.ask('GET', '/api/v1/tickets/T1')).toMatchObject({ body: { cost: 0, tokens: NONE } });
  await api.close();
  const model = { name: 'local', stopReason: null, requestId: null, tokens, usd: null };
  api = await serve(trajectory({ turns: [turn({ model })] }));
  expect(await api.ask('GET', '/api/v1/tickets/T1')).toMatchObject({ body: { cost: null, tokens: TOKENS } });
});

it('stats: what was spent today and since when', async () => {
  api = await serve(handedOver);
  expect(await api.ask('GET', '/api/v1/stats')).toMatchObject({
    status: 200,
    body: {
      tickets: 1,
      spend: { today_usd: 0.3, total_usd: 12.5, since: '2026-01-01', unpriced_calls: 2 },
    },
  });
});

it('stats: costs that cannot be read are an error, not nothing', async () => {
  const warnings: unknown[] = [];
  api = await startApi({
    tickets: {
      ...dependencies().tickets,
      list: () => Promise.resolve({ items: [], nextCursor: null }),
    },
    spend: () => Promise.reject(new Error('EACCES')),
    log: { error: (...said: unknown[]) => void warnings.push(said), warn: () => undefined },
  });
  expect((await api.ask('GET', '/api/v1/stats')).status).toBe(500);
  expect(warnings).toHaveLength(1);
});
