import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { decodeHistory } from '../../src/client/history';
import type { UndoneFile } from '../../src/domain/undo-report';
import { undoEdits } from '../../src/web/undo-edits';
import type { AgentActivities, ToolInput, UndoInput } from '../../src/workflows/agent-contract';
import { SIGNALS, undoWorkflowId, WORKFLOWS } from '../../src/workflows/contract';
import { waitFor } from '../support/wait-for';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await startTemporal();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});
afterAll(async () => {
  await env.teardown();
});

const UNDONE: UndoneFile = { path: '/c', outcome: 'undone', reason: '' };

function newOrder(): UndoInput {
  const ticketId = `T-${randomUUID()}`;
  return {
    ticket: { ticketId, invariantId: 'api_ok', service: 'api', detectedAt: '2026-01-01T00:00:00.000Z' },
    person: { by: 'ana', reason: 'meant so' },
  };
}

async function startAgent(undo_edits: AgentActivities['undo_edits']): Promise<void> {
  workers.push(await startWorker(env, 'agent', { undo_edits }));
}

const answer = ({ call }: ToolInput, files: UndoneFile[]) => ({
  callId: call.id,
  tool: call.name,
  isError: false,
  content: 'done',
  data: { outcome: 'performed', files },
});

it('a closed ticket: the agent is told whose word it is, and answers for every file; later there is nothing left', async () => {
  const asked: ToolInput[] = [];
  await startAgent((input) => {
    asked.push(input);
    return Promise.resolve(answer(input, asked.length === 1 ? [UNDONE] : []));
  });
  const order = newOrder();
  expect(await undoEdits(accessOf(env), order)).toEqual({ kind: 'done', report: { files: [UNDONE] } });
  expect(await undoEdits(accessOf(env), order)).toEqual({ kind: 'done', report: { files: [] } });
  const call = { id: 'undo_by_person', name: 'undo_edits', input: {} };
  expect(asked).toEqual([
    { ...order, call },
    { ...order, call },
  ]);
});

it('no agent: it says so, the order stands, and is carried out when one comes', async () => {
  const order = newOrder();
  expect(await undoEdits(accessOf(env), order, 500)).toMatchObject({
    kind: 'waiting',
    detail: expect.stringContaining('within 0.5 s') as string,
  });
  await expect(undoEdits(accessOf(env), order, 500)).rejects.toMatchObject({
    status: 409,
    title: 'Is being undone already',
  });
  const asked: ToolInput[] = [];
  await startAgent((input) => {
    asked.push(input);
    return Promise.resolve(answer(input, [UNDONE]));
  });
  const handle = env.client.workflow.getHandle(undoWorkflowId(order.ticket.ticketId));
  expect(await handle.result()).toMatchObject({ data: { files: [UNDONE] } });
  expect(asked).toHaveLength(1);
});

it('twice at once: one is done, the other is told so; other tickets do not wait', async () => {
  const asked: { input: ToolInput; finish: () => void }[] = [];
  await startAgent(
    (input) =>
      new Promise((resolve) => asked.push({ input, finish: () => resolve(answer(input, [UNDONE])) })),
  );
  const [order, other] = [newOrder(), newOrder()];
  const results = [order, order, other].map((one) => undoEdits(accessOf(env), one));
  const settled = Promise.allSettled(results);
  await waitFor('both tickets are with the agent', () => Promise.resolve(asked.length === 2));
  asked.forEach(({ finish }) => finish());
  const statuses = (await settled).map(({ status }) => status);
  expect(statuses.slice(0, 2).sort()).toEqual(['fulfilled', 'rejected']);
  expect(statuses[2]).toBe('fulfilled');
  expect(asked.map(({ input }) => input.ticket.ticketId).sort()).toEqual(
    [order, other].map(({ ticket }) => ticket.ticketId).sort(),
  );
});

it('an attempt that failed is repeated', async () => {
  let attempts = 0;
  await startAgent((input) => {
    attempts += 1;
    if (attempts === 1) return Promise.reject(new Error('the agent was lost'));
    return Promise.resolve(answer(input, [UNDONE]));
  });
  expect(await undoEdits(accessOf(env), newOrder())).toMatchObject({ report: { files: [UNDONE] } });
  expect(attempts).toBe(2);
});

it('refused long after it was ordered: the ticket, which is at work again, tells of it', async () => {
  const order = newOrder();
  const { invariantId } = order.ticket;
  const ticket = await env.client.workflow.start(WORKFLOWS.remediateTicket, {
    workflowId: invariantId,
    taskQueue: 'nobody works here',
    args: [{ ticket: { id: order.ticket.ticketId } }],
  });
  expect(await undoEdits(accessOf(env), order, 500)).toMatchObject({ kind: 'waiting' });
  await startAgent(({ call }) =>
    Promise.resolve({
      callId: call.id,
      tool: call.name,
      isError: true,
      content: 'it is being worked on again',
      data: { outcome: 'refused' },
    }),
  );
  await env.client.workflow.getHandle(undoWorkflowId(order.ticket.ticketId)).result();
  const history = decodeHistory(await ticket.fetchHistory());
  await ticket.terminate();
  expect(history.filter(({ type }) => type === 'signaled')).toMatchObject([
    {
      signal: SIGNALS.note,
      input: [
        {
          by: 'harness',
          text: `ana asked for the edits of ticket ${order.ticket.ticketId} to be undone; not all of it was done: it is being worked on again`,
        },
      ],
    },
  ]);
});

it('refused by the tool: a problem with its reason', async () => {
  await startAgent(({ call }) =>
    Promise.resolve({
      callId: call.id,
      tool: call.name,
      isError: true,
      content: 'api declares no editable files.',
      data: { outcome: 'refused' },
    }),
  );
  await expect(undoEdits(accessOf(env), newOrder())).rejects.toMatchObject({
    status: 409,
    title: 'Not undone',
    detail: 'api declares no editable files.',
  });
});

it('ended by an operator: a problem that says to ask again', async () => {
  const order = newOrder();
  const result = undoEdits(accessOf(env), order);
  const expected = expect(result).rejects.toMatchObject({ status: 503, title: 'Undo broke off' });
  const handle = env.client.workflow.getHandle(undoWorkflowId(order.ticket.ticketId));
  await waitFor('ordered', () =>
    handle.describe().then(
      () => true,
      () => false,
    ),
  );
  await handle.terminate('wrong one');
  await expected;
});
