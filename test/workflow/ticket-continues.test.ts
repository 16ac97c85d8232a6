import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { archiveActivity } from '../../src/activities/archive';
import { keepRunActivity } from '../../src/activities/keep-run';
import { readArchived } from '../../src/client/archive-reader';
import { fetchRun } from '../../src/client/history';
import { listKeptRuns } from '../../src/client/kept-runs';
import { createHistoryReader } from '../../src/client/ticket-history';
import { createTicketReader, temporalTickets } from '../../src/client/tickets';
import type { CheckResult } from '../../src/domain/check';
import type { TicketResult, TicketSpec } from '../../src/domain/ticket';
import type { ToolCall, ToolResult } from '../../src/domain/tool';
import { ticketCommands } from '../../src/web/ticket-commands';
import type { AgentActivities, ProposeInput } from '../../src/workflows/agent-contract';
import type { RemediateInput } from '../../src/workflows/contract';
import { QUEUES, SIGNALS, WORKFLOWS } from '../../src/workflows/contract';
import { waitFor } from '../support/wait-for';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(240_000);
/** A ceiling for machines that are busy. */
const PATIENT = { limitMs: 60_000 };

const EVENTS_PER_RUN = 60;
const AT = '2026-01-01T00:00:00.000Z';
const log = pino({ level: 'silent' });
let env: TestWorkflowEnvironment;
let dataDir: string;
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await startTemporal(
    '--dynamic-config-value',
    `limit.historyCount.suggestContinueAsNew=${EVENTS_PER_RUN}`,
  );
});
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-continues-'));
});
afterEach(async () => {
  await stopWorkers();
  await rm(dataDir, { recursive: true, force: true });
});
afterAll(async () => {
  await env.teardown();
});

async function stopWorkers(): Promise<void> {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
}

type Ticket = WorkflowHandle<(input: RemediateInput) => Promise<TicketResult>>;

const failing = (invariantId: string, error = 'connection refused'): CheckResult => ({
  invariantId,
  revision: 1,
  at: AT,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error,
});

function spec(invariantId: string): TicketSpec {
  return {
    id: `T-${invariantId}`,
    invariantId,
    service: 'api',
    objective: 'Bring api back',
    successCriteria: 'it holds',
    context: '',
    priority: 'high',
    suspectedCause: 'killed',
    confidence: 0.8,
    sourceType: 'monitor',
    sourceId: invariantId,
    detectedAt: AT,
    createdAt: AT,
    joinedInvariants: [],
    evidence: [],
    firstCheck: failing(invariantId),
  };
}

const tool =
  (data: ToolResult['data']) =>
  ({ call }: { call: ToolCall }): Promise<ToolResult> =>
    Promise.resolve({ callId: call.id, tool: call.name, isError: false, content: `of ${call.id}`, data });

/** What a brain was asked, turn by turn. */
function brain(decide: (input: ProposeInput) => Omit<ToolCall, 'id'>) {
  const asked: ProposeInput[] = [];
  const proposeStep: AgentActivities['proposeStep'] = (input) => {
    asked.push(input);
    const call = { id: `call_${input.attempt}_${input.turn}`, ...decide(input) };
    return Promise.resolve({ brain: 'runbook', text: '', calls: [call], memory: { turn: input.turn } });
  };
  return { asked, proposeStep };
}

const LOOK = { name: 'inspect_service', input: { service: 'api' } };
const RESTART = { name: 'service_control', input: { service: 'api', action: 'restart', expect: 'exited' } };
const ASK = { name: 'update_ticket_status', input: { status: 'blocked', reason: 'cannot', report: 'facts' } };
const DONE = { name: 'update_ticket_status', input: { status: 'completed', reason: 'r' } };

async function startAgent(
  over: Partial<AgentActivities>,
  { maxTurns = 50, retryAfterMs = 60_000 }: { maxTurns?: number; retryAfterMs?: number } = {},
): Promise<void> {
  const access = accessOf(env);
  workers.push(
    await startWorker(env, 'agent', {
      claimTicket: () => Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns, retryAfterMs }),
      decide: () => Promise.resolve({ verdict: 'allow', rule: 'test', reason: '' }),
      inspect_service: tool(null),
      service_control: tool({ outcome: 'performed' }),
      update_ticket_status: tool({ status: 'blocked', reason: 'cannot', report: 'facts' }),
      ...archiveActivity({ readHistory: createHistoryReader(access, dataDir), dataDir, log }),
      ...keepRunActivity({ readRun: (id, runId) => fetchRun(access, id, runId), dataDir, log }),
      ...over,
    }),
  );
}

async function startMonitor(answer: () => boolean): Promise<void> {
  workers.push(
    await startWorker(env, 'monitor', {
      verifyRecovery: ({ invariantId }) => {
        const recovered = answer();
        const list = recovered ? [] : [failing(invariantId)];
        return Promise.resolve({ recovered, at: AT, successes: recovered ? 3 : 0, failing: list });
      },
    }),
  );
}

async function openTicket(): Promise<Ticket> {
  const invariantId = `i-${randomUUID()}`;
  const { firstExecutionRunId } = await env.client.workflow.start(WORKFLOWS.remediateTicket, {
    workflowId: invariantId,
    taskQueue: QUEUES.agent,
    args: [{ ticket: spec(invariantId) }],
    memo: { objective: 'Bring api back' },
    staticSummary: 'Bring api back',
    searchAttributes: { TicketId: [`T-${invariantId}`], InvariantId: [invariantId], ServiceName: ['api'] },
  });
  firstRuns.set(invariantId, firstExecutionRunId);
  return env.client.workflow.getHandle(invariantId);
}
const firstRuns = new Map<string, string>();

const reader = (keptIn = dataDir) =>
  createTicketReader({
    source: temporalTickets(accessOf(env), keptIn),
    namespace: 'default',
    dataDir,
    uiUrl: () => Promise.resolve('http://ui'),
  });

async function trajectoryOf({ workflowId }: Ticket, keptIn = dataDir) {
  const trajectory = await reader(keptIn).trajectory(`T-${workflowId}`);
  if (!trajectory) throw new Error(`ticket T-${workflowId} has no trajectory`);
  return trajectory;
}

async function untilAttempt(ticket: Ticket, attempt: number): Promise<void> {
  await waitFor(
    `attempt ${attempt} is over`,
    async () => {
      const { searchAttributes, memo } = await ticket.describe();
      return searchAttributes['TicketStatus']?.[0] === 'blocked' && memo?.['attempt'] === attempt;
    },
    PATIENT,
  );
}

async function forgetEarlierRuns({ workflowId }: Ticket): Promise<void> {
  const isGone = (runId: string) =>
    fetchRun(accessOf(env), workflowId, runId).then(
      () => false,
      () => true,
    );
  await Promise.all(
    (await listKeptRuns(dataDir, `T-${workflowId}`)).map(async ({ runId }) => {
      const workflowExecution = { workflowId, runId };
      await env.client.workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution });
      await waitFor('the server has forgotten a run', () => isGone(runId), PATIENT);
    }),
  );
}

const attemptsIn = (turns: readonly { readonly attempt: number }[]) => [
  ...new Set(turns.map(({ attempt }) => attempt)),
];
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

it('blocked and tried again and again: goes on in new runs, one ticket, whose story and archive are whole', async () => {
  const ATTEMPTS = 12;
  const { asked, proposeStep } = brain(({ attempt }) => (attempt === 2 ? RESTART : ASK));
  let holds = false;
  await startAgent({
    proposeStep: (input) =>
      input.attempt === 2 && input.turn === 2 ? brain(() => ASK).proposeStep(input) : proposeStep(input),
  });
  await startMonitor(() => holds);
  const ticket = await openTicket();
  for (const attempt of upTo(ATTEMPTS - 1)) {
    await untilAttempt(ticket, attempt);
    await ticket.signal(SIGNALS.retry, { by: 'ana', reason: `again ${attempt}` });
  }
  await untilAttempt(ticket, ATTEMPTS);

  const kept = await listKeptRuns(dataDir, `T-${ticket.workflowId}`);
  expect(kept.length).toBeGreaterThanOrEqual(3);
  expect(kept.map(({ number }) => number)).toEqual(upTo(kept.length));
  expect(kept[0]?.runId).toBe(firstRuns.get(ticket.workflowId));
  const { runId, searchAttributes, memo } = await ticket.describe();
  expect(searchAttributes).toMatchObject({ TicketId: [`T-${ticket.workflowId}`], ServiceName: ['api'] });
  expect(memo).toMatchObject({ attempt: ATTEMPTS, objective: 'Bring api back', escalation_reason: 'cannot' });
  const listed = await reader().list({ limit: 10, invariant: ticket.workflowId });
  expect(listed.items).toMatchObject([
    { runId, status: 'blocked', attempt: ATTEMPTS, temporalUrl: expect.stringContaining(runId) as string },
  ]);

  // From the server alone.
  const before = await trajectoryOf(ticket, join(dataDir, 'nothing-kept'));
  await forgetEarlierRuns(ticket);
  const after = await trajectoryOf(ticket);
  expect(after).toEqual(before);
  expect(attemptsIn(after.turns)).toEqual(upTo(ATTEMPTS));
  expect(after.timeline.filter(({ kind }) => kind === 'opened')).toHaveLength(1);
  expect(after.timeline.filter(({ kind }) => kind === 'retry_requested')).toHaveLength(ATTEMPTS - 1);
  expect(asked.map(({ attempt }) => attempt)).toEqual(upTo(ATTEMPTS));

  holds = true;
  await ticket.signal(SIGNALS.recovered, { check: failing(ticket.workflowId) });
  expect(await ticket.result()).toMatchObject({
    status: 'completed',
    resolution: 'fixed',
    attempts: ATTEMPTS,
    effects: 1,
  });
  const archived = await readArchived(dataDir, `T-${ticket.workflowId}`);
  expect(archived).toMatchObject({ status: 'completed', runId, openedAt: before.openedAt });
  expect(attemptsIn(archived?.turns ?? [])).toEqual(upTo(ATTEMPTS));
});

it('in the middle of an attempt: the same attempt goes on, with its turns, results, memory and time', async () => {
  const TURNS = 20;
  const { asked, proposeStep } = brain(({ turn }) => (turn < TURNS ? LOOK : DONE));
  const claims: string[] = [];
  await startAgent({
    proposeStep,
    claimTicket: ({ ticketId }) => {
      claims.push(ticketId);
      return Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: TURNS, retryAfterMs: 60_000 });
    },
  });
  await startMonitor(() => true);
  const ticket = await openTicket();
  expect(await ticket.result()).toMatchObject({ status: 'completed', attempts: 1 });
  expect((await listKeptRuns(dataDir, `T-${ticket.workflowId}`)).length).toBeGreaterThanOrEqual(2);
  expect(claims).toEqual([`T-${ticket.workflowId}`]);
  expect(asked.map(({ turn }) => turn)).toEqual(upTo(TURNS));
  for (const [index, { turn, results, memory, attempt }] of asked.entries()) {
    expect(attempt).toBe(1);
    if (index === 0) continue;
    expect(memory).toEqual({ turn: turn - 1 });
    expect(results).toMatchObject([{ callId: `call_1_${turn - 1}`, content: `of call_1_${turn - 1}` }]);
  }
  const worked = asked.map(({ workedMs = 0 }) => workedMs);
  expect(worked).toEqual([...worked].sort((a, b) => a - b));
  const { turns } = await trajectoryOf(ticket);
  expect(turns.map(({ turn }) => turn)).toEqual(upTo(TURNS));
});

it('no monitor for days: the wait for the proof goes on in new runs, and ends when one answers', async () => {
  const { asked, proposeStep } = brain(() => DONE);
  await startAgent({ proposeStep });
  const ticket = await openTicket();
  await waitFor('the proof is asked for', async () => {
    const { raw } = await ticket.describe();
    return raw.pendingActivities?.some(({ activityType }) => activityType?.name === 'verifyRecovery');
  });
  // As many events as days of silence bring.
  for (const n of upTo(EVENTS_PER_RUN)) {
    await ticket.signal(SIGNALS.note, { at: AT, by: 'ana', text: `note ${n}`, signature: `n${n}` });
  }
  await waitFor(
    'it has gone on',
    async () => (await ticket.describe()).runId !== firstRuns.get(ticket.workflowId),
    PATIENT,
  );
  await startMonitor(() => true);
  expect(await ticket.result()).toMatchObject({ status: 'completed', attempts: 1 });
  expect(asked).toHaveLength(1);
});

describe('at the very switch', () => {
  /** Blocked, and so much has come while no agent was there that its first step is to go on in another run. */
  async function aboutToContinue(decide: (input: ProposeInput) => Omit<ToolCall, 'id'> = () => ASK) {
    const thinking = brain(decide);
    await startAgent(thinking);
    const ticket = await openTicket();
    await untilAttempt(ticket, 1);
    await stopWorkers();
    for (const n of upTo(EVENTS_PER_RUN)) {
      await ticket.signal(SIGNALS.note, { at: AT, by: 'ana', text: `note ${n}`, signature: `n${n}` });
    }
    return { ticket, ...thinking };
  }

  it('a hint that it holds: the next run asks for the proof, and closes the ticket', async () => {
    const { ticket, proposeStep } = await aboutToContinue();
    await ticket.signal(SIGNALS.recovered, { check: failing(ticket.workflowId) });
    await startAgent({ proposeStep });
    await startMonitor(() => true);
    expect(await ticket.result()).toMatchObject({ resolution: 'self_recovered', attempts: 1 });
    expect((await ticket.describe()).runId).not.toBe(firstRuns.get(ticket.workflowId));
  });

  it('a wish for another try, evidence and notes: the next run begins the attempt and tells the brain of them', async () => {
    const { ticket, asked, proposeStep } = await aboutToContinue(({ attempt }) =>
      attempt === 1 ? ASK : DONE,
    );
    const joined = failing('api_fast', 'slow');
    await ticket.signal(SIGNALS.evidence, { signature: 's', check: joined });
    await ticket.signal(SIGNALS.retry, { by: 'ana', reason: '' });
    await startAgent({ proposeStep });
    await startMonitor(() => true);
    expect(await ticket.result()).toMatchObject({ attempts: 2 });
    expect(asked[1]).toMatchObject({ attempt: 2, begunBy: 'person' });
    expect(asked[1]?.notes).toEqual([
      ...upTo(EVENTS_PER_RUN).map((n) => `ana notes: note ${n}`),
      'api_fast fails: slow',
    ]);
    expect(await trajectoryOf(ticket)).toMatchObject({ joinedInvariants: ['api_fast'] });
  });

  it('a cancellation: closed as cancelled, with its reason', async () => {
    const { ticket, proposeStep } = await aboutToContinue();
    await ticket.signal(SIGNALS.cancelReason, { by: 'ana', reason: 'enough', mode: 'cancel' });
    await ticket.cancel();
    await startAgent({ proposeStep });
    expect(await ticket.result()).toMatchObject({ resolution: 'cancelled', reason: 'enough' });
  });

  it('commands that name a run which has been continued go to the run that continues it', async () => {
    const { ticket, proposeStep } = await aboutToContinue();
    await startAgent({ proposeStep });
    const first = { workflowId: ticket.workflowId, runId: firstRuns.get(ticket.workflowId) ?? '' };
    await waitFor('it has gone on', async () => (await ticket.describe()).runId !== first.runId);
    const commands = ticketCommands(accessOf(env));
    const note = { at: AT, by: 'ana', text: 'late', signature: 'late' };
    expect(await commands.note(first, note)).toBe(true);
    expect(await commands.cancel(first, { by: 'ana', reason: 'enough', mode: 'dismiss' })).toBe(true);
    expect(await ticket.result()).toMatchObject({ resolution: 'dismissed', reason: 'enough' });
    expect((await trajectoryOf(ticket)).notes.at(-1)).toMatchObject({ text: 'late' });
    expect(await commands.note(first, note)).toBe(false);
  });

  it('notes without a pause over many switches: each is told once, then a cancellation in their midst is heard', async () => {
    const { proposeStep, asked } = brain(() => ASK);
    await startAgent({ proposeStep }, { retryAfterMs: 100 });
    const ticket = await openTicket();
    const NOTES = 400;
    let sent = 0;
    const send = async (): Promise<void> => {
      for (let n = ++sent; n <= NOTES; n = ++sent) {
        await ticket.signal(SIGNALS.note, { at: AT, by: 'ana', text: `note ${n}`, signature: `n${n}` });
      }
    };
    await Promise.all([send(), send(), send(), send()]);
    const told = () => asked.flatMap(({ notes }) => notes.filter((text) => text.startsWith('ana notes: ')));
    await waitFor('every note was told', () => Promise.resolve(told().length >= NOTES), PATIENT);
    expect([...told()].sort()).toEqual(
      upTo(NOTES)
        .map((n) => `ana notes: note ${n}`)
        .sort(),
    );
    const chatter = Promise.all(
      upTo(60).map((n) =>
        ticket
          .signal(SIGNALS.note, { at: AT, by: 'bo', text: `more ${n}`, signature: `m${n}` })
          .catch(() => undefined),
      ),
    );
    await ticket.cancel();
    await chatter;
    expect(await ticket.result()).toMatchObject({ resolution: 'cancelled' });
    expect((await listKeptRuns(dataDir, `T-${ticket.workflowId}`)).length).toBeGreaterThan(1);
    const { notes } = await trajectoryOf(ticket);
    expect(new Set(notes.filter(({ by }) => by === 'ana').map(({ text }) => text)).size).toBe(NOTES);
  });
});
