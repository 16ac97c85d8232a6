import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { archiveActivity } from '../../src/activities/archive';
import { createHistoryReader } from '../../src/client/ticket-history';
import { createTicketReader } from '../../src/client/tickets';
import type { TicketSpec } from '../../src/domain/ticket';
import type { ToolCall } from '../../src/domain/tool';
import { createApp } from '../../src/web/app';
import { trajectoryWire } from '../../src/web/presenters';
import { createWebDependencies } from '../../src/web/web-dependencies';
import { listen } from '../../src/web/web-process';
import type { AgentActivities } from '../../src/workflows/agent-contract';
import type { MonitorActivities, RemediateInput } from '../../src/workflows/contract';
import { QUEUES, WORKFLOWS } from '../../src/workflows/contract';
import { ticketKeys } from '../../src/workflows/search-attributes';
import { waitFor } from '../support/wait-for';
import { BRAIN_CONFIG } from '../support/brain-config';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

const log = pino({ level: 'silent' });
let env: TestWorkflowEnvironment;
let dataDir: string;
let server: Server;
let base: string;
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await startTemporal();
});
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-web-'));
  const web = { host: '127.0.0.1', port: 0 };
  const config = {
    dataDir,
    web,
    invariants: [],
    services: ['api', 'shop'].map((name) => ({ name, env: {} })),
    agent: BRAIN_CONFIG.agent,
    monitor: { intervalMs: 5_000, concurrency: 4, cooldownMs: 0 },
  };
  server = await listen(
    createApp(createWebDependencies({ config, access: accessOf(env), token: 'secret', log })),
    web,
  );
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  await new Promise((resolve) => server.close(resolve));
  await rm(dataDir, { recursive: true, force: true });
});
afterAll(async () => {
  await env.teardown();
});

interface Answer {
  readonly status: number;
  /** The parts the tests look into; the rest they compare as a whole. */
  readonly body: Readonly<Record<string, unknown>> & {
    readonly items: readonly Readonly<Record<string, unknown>>[];
    readonly timeline: readonly { readonly kind: string; readonly detail: string }[];
    readonly next_cursor: string | null;
  };
}

async function ask(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: {
      authorization: 'Bearer secret',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Answer['body'] };
}

const get = (path: string) => ask('GET', `/api/v1${path}`);
const AT = '2026-01-01T00:00:00.000Z';

function spec(invariantId: string, over: Partial<TicketSpec> = {}): TicketSpec {
  return {
    id: `T-${randomUUID()}`,
    invariantId,
    service: 'api',
    objective: 'Bring api back',
    successCriteria: 'it holds',
    context: 'seen twice',
    priority: 'high',
    suspectedCause: 'killed',
    confidence: 0.8,
    sourceType: 'monitor',
    sourceId: invariantId,
    detectedAt: AT,
    createdAt: AT,
    joinedInvariants: [],
    evidence: [{ id: 'E1', kind: 'process', at: AT, title: 'exited', text: 'SIGKILL' }],
    firstCheck: null,
    ...over,
  };
}

/** Opens a ticket as triage does. */
async function open(ticket: TicketSpec): Promise<void> {
  await env.client.workflow.start<(input: RemediateInput) => Promise<unknown>>(WORKFLOWS.remediateTicket, {
    workflowId: ticket.invariantId,
    taskQueue: QUEUES.agent,
    args: [{ ticket }],
    typedSearchAttributes: [
      { key: ticketKeys.ticketId, value: ticket.id },
      { key: ticketKeys.status, value: 'pending' },
      { key: ticketKeys.invariantId, value: ticket.invariantId },
      { key: ticketKeys.service, value: ticket.service ?? '' },
    ],
  });
  await waitFor('visible', async () => (await get(`/tickets/${ticket.id}`)).status === 200);
}

async function agent(
  calls: readonly Omit<ToolCall, 'id'>[],
  over: Partial<AgentActivities> = {},
): Promise<void> {
  let turn = 0;
  const tool: AgentActivities['service_control'] = ({ call }) =>
    Promise.resolve({
      callId: call.id,
      tool: call.name,
      isError: false,
      content: 'done',
      // The product's tools clean what they were given and return it.
      data: { ...call.input, outcome: 'performed' },
    });
  workers.push(
    await startWorker(env, 'agent', {
      claimTicket: () =>
        Promise.resolve({ agent: 'a1', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 }),
      proposeStep: () => {
        const call = calls[turn];
        turn += 1;
        if (!call) throw new Error(`the script has ${calls.length} calls, turn ${turn} was asked for`);
        return Promise.resolve({
          brain: 'runbook',
          text: 'so be it',
          calls: [{ id: `c${turn}`, ...call }],
          memory: null,
        });
      },
      decide: () => Promise.resolve({ verdict: 'allow', rule: 'test', reason: '' }),
      service_control: tool,
      update_ticket_status: tool,
      ...archiveActivity({ readHistory: createHistoryReader(accessOf(env), dataDir), dataDir, log }),
      ...over,
    }),
  );
}

async function monitor(recovered = true): Promise<void> {
  const verifyRecovery: MonitorActivities['verifyRecovery'] = () =>
    Promise.resolve({ recovered, at: AT, successes: recovered ? 3 : 0, failing: [] });
  workers.push(await startWorker(env, 'monitor', { verifyRecovery }));
}

const RESTART = { name: 'service_control', input: { service: 'api', action: 'restart' } };
const DONE = { name: 'update_ticket_status', input: { status: 'completed', reason: 'r' } };
const ASK = {
  name: 'update_ticket_status',
  input: { status: 'blocked', reason: 'cannot', report: 'the facts' },
};
const unique = () => `i-${randomUUID()}`;

async function untilStatus(id: string, status: string): Promise<Record<string, unknown>> {
  return await waitFor(`ticket ${status}`, async () => {
    const { body } = await get(`/tickets/${id}`);
    return body['status'] === status ? body : null;
  });
}

it('a repaired ticket: its turns, its proof and its end, the same from the archive once the server forgot the run', async () => {
  const ticket = spec(unique());
  await agent([RESTART, DONE]);
  await monitor();
  await open(ticket);
  const closed = await untilStatus(ticket.id, 'completed');
  expect(closed).toMatchObject({
    resolution: 'fixed',
    brain: 'runbook',
    attempt: 1,
    service: 'api',
    success_criteria: 'it holds',
    context: 'seen twice',
    phase: null,
    blocked_on: null,
    escalation: null,
  });
  await env.client.workflow.getHandle(ticket.invariantId).result();

  const live = (await get(`/tickets/${ticket.id}/trajectory`)).body;
  expect(live).toMatchObject({
    run_state: 'completed',
    turns: [
      { turn: 1, calls: [{ decision: { verdict: 'allow' }, result: { content: 'done', is_error: false } }] },
      { turn: 2, calls: [{ call: { name: 'update_ticket_status' } }] },
    ],
    verifications: [{ recovered: true, successes: 3 }],
  });
  expect(live.timeline.map(({ kind }) => kind)).toEqual([
    'detected',
    'opened',
    'claimed',
    'proposed',
    'decided',
    'tool',
    'proposed',
    'decided',
    'tool',
    'verified',
    'closed',
  ]);

  const [month] = await readdir(join(dataDir, 'archive'));
  const folder = join(dataDir, 'archive', String(month));
  const [name] = (await readdir(folder)).filter((entry) => entry.endsWith(`.${ticket.id}.json`));
  const file = join(folder, String(name));
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
    version: 1,
    trajectory: { status: 'completed' },
  });

  const reader = createTicketReader({
    source: {
      runs: () => Promise.resolve([]),
      history: () => Promise.reject(new Error('there are no runs')),
    },
    namespace: 'default',
    dataDir,
    uiUrl: () => Promise.resolve('http://ui'),
  });
  const archived = await reader.trajectory(ticket.id);
  expect(archived && (JSON.parse(JSON.stringify(trajectoryWire(archived))) as unknown)).toEqual(live);
  const page = await reader.list({ status: 'completed', invariant: ticket.invariantId, limit: 10 });
  expect(page.items).toMatchObject([
    {
      id: ticket.id,
      resolution: 'fixed',
      temporalUrl: `http://ui/namespaces/default/workflows/${ticket.invariantId}/${archived?.runId}/history`,
    },
  ]);
});

it('a blocked ticket shows the report of its brain; a note is kept once, whatever is repeated', async () => {
  const ticket = spec(unique());
  await agent([ASK]);
  await open(ticket);
  expect(await untilStatus(ticket.id, 'blocked')).toMatchObject({
    blocked_on: 'person',
    escalation: { reason: 'cannot', report: 'the facts' },
  });
  const key = { 'idempotency-key': 'k1' };
  for (let again = 0; again < 2; again += 1) {
    const body = { text: 'look at password=hunter2hunter2', by: 'ana' };
    expect((await ask('POST', `/api/v1/tickets/${ticket.id}/notes`, body, key)).status).toBe(201);
  }
  const { notes } = (await get(`/tickets/${ticket.id}`)).body;
  expect(notes).toEqual([
    { at: expect.any(String) as string, by: 'ana', text: 'look at password=[redacted:secret]' },
  ]);
  await ask('POST', `/api/v1/tickets/${ticket.id}/cancel`, {});
  await untilStatus(ticket.id, 'failed');
});

it('cancelled while no worker runs: accepted, and done when an agent is there; afterwards 409', async () => {
  const ticket = spec(unique());
  await open(ticket);
  const cancel = `/api/v1/tickets/${ticket.id}/cancel`;
  expect(await ask('POST', cancel, { reason: 'not needed', by: 'ana' })).toMatchObject({
    status: 202,
    body: { status: 'pending' },
  });
  await agent([]);
  expect(await untilStatus(ticket.id, 'failed')).toMatchObject({ resolution: 'cancelled' });
  await env.client.workflow.getHandle(ticket.invariantId).result();
  expect(await ask('POST', cancel, {})).toMatchObject({ status: 409, body: { title: 'Ticket is closed' } });
  expect((await ask('POST', `/api/v1/tickets/${ticket.id}/notes`, { text: 'late' })).status).toBe(409);
});

it('a run that an operator terminated: failed, and no longer open', async () => {
  const ticket = spec(unique());
  await open(ticket);
  const open1 = await get(`/tickets?status=open&invariant=${ticket.invariantId}`);
  expect(open1.body.items).toHaveLength(1);
  await env.client.workflow.getHandle(ticket.invariantId).terminate('wrong one');
  expect(await untilStatus(ticket.id, 'failed')).toMatchObject({ resolution: null });
  await waitFor('closed in the list', async () => {
    const { items } = (await get(`/tickets?status=failed&invariant=${ticket.invariantId}`)).body;
    return items.length === 1;
  });
  expect((await get(`/tickets?status=open&invariant=${ticket.invariantId}`)).body.items).toEqual([]);
  const { timeline } = (await get(`/tickets/${ticket.id}`)).body;
  expect(timeline.at(-1)?.detail).toContain('wrong one');
});

it('pages follow each other, newest first, each ticket once', async () => {
  const service = unique();
  const tickets: TicketSpec[] = [];
  for (let number = 0; number < 5; number += 1) {
    const ticket = spec(unique(), { service });
    await open(ticket);
    tickets.push(ticket);
  }
  const ids: unknown[] = [];
  let cursor: string | null = '';
  let pages = 0;
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
    const { body } = await get(`/tickets?service=${service}&limit=2${query}`);
    ids.push(...body.items.map((item) => item['id']));
    cursor = body.next_cursor;
    pages += 1;
  }
  expect(ids).toEqual(tickets.map(({ id }) => id).reverse());
  expect(pages).toBe(3);
});
