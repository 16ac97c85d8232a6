import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { whileHeartbeating } from '../../src/activities/heartbeat';
import { fetchRun } from '../../src/client/history';
import type { AnalystAnswer, RuleVerdict } from '../../src/domain/analyst-rules';
import type { CheckResult } from '../../src/domain/check';
import { foldTrajectory } from '../../src/domain/fold-trajectory';
import type { Incident } from '../../src/domain/incident';
import type { TicketSpec } from '../../src/domain/ticket';
import type { AgentActivities, ProposeInput } from '../../src/workflows/agent-contract';
import type { MonitorActivities, RemediateInput } from '../../src/workflows/contract';
import {
  analysisWorkflowId,
  QUEUES,
  SIGNALS,
  triageWorkflowId,
  WORKFLOWS,
} from '../../src/workflows/contract';
import { waitFor } from '../support/wait-for';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';
import type { TriageResult } from '../../src/workflows/triage-contract';

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

const AT = '2026-01-01T00:00:00.000Z';
const RULES: RuleVerdict = {
  by: 'runbook',
  createTicket: true,
  reason: 'confirmed',
  objective: 'Bring api back',
  successCriteria: 'it holds',
  context: '',
  suspectedCause: 'the check saw: refused',
  confidence: 0.5,
  forceOpenAfterMs: 10_000,
};
const CLAUDE: AnalystAnswer = {
  verdict: {
    by: 'claude',
    createTicket: true,
    reason: 'It does not answer [E1].',
    objective: 'Free the disk and start api',
    successCriteria: 'api answers',
    context: 'The disk is full [E1].',
    suspectedCause: 'The disk is full [E1].',
    hypotheses: [{ cause: 'a full disk', evidence: ['E1'] }],
    confidence: 0.9,
    priority: 'critical',
    forceOpenAfterMs: 10_000,
  },
  news: 'verdict: the disk is full',
};

function incidentOf(service: string): Incident {
  const invariantId = `${service}_healthy`;
  const check: CheckResult = {
    invariantId,
    revision: 1,
    at: AT,
    ok: false,
    latencyMs: 1,
    resolved: {},
    error: 'refused',
  };
  return { invariantId, service, priority: 'high', detectedAt: AT, check, joined: [] };
}

/** An analyst that answers when the test says so, the n-th call with the n-th answer; it lets itself be cancelled. */
function slowAnalyst() {
  const waiting: ((answer: AnalystAnswer) => void)[] = [];
  const askAnalyst = () =>
    whileHeartbeating(async () => {
      const answer = new Promise<AnalystAnswer>((resolve) => waiting.push(resolve));
      return await Promise.race([answer, Context.current().cancelled]);
    });
  return { waiting, askAnalyst };
}

interface Scene {
  readonly service: string;
  readonly openInMs: number;
  readonly askAnalyst: () => Promise<AnalystAnswer>;
  readonly verifyRecovery?: MonitorActivities['verifyRecovery'];
}

/** A monitor whose rules say that a model is to be asked, and whose tickets are opened `openInMs` from now. */
async function startMonitor({ openInMs, askAnalyst, verifyRecovery }: Scene): Promise<void> {
  let minted = 0;
  workers.push(
    await startWorker(env, 'monitor', {
      collectEvidence: ({ service }) =>
        Promise.resolve({ ticketId: `${service}-${(minted += 1)}`, at: AT, items: [] }),
      analyzeFailure: () => {
        const openBy = new Date(Date.now() + openInMs).toISOString();
        return Promise.resolve({ ...RULES, askModel: { openBy } });
      },
      askAnalyst,
      verifyRecovery:
        verifyRecovery ?? (() => Promise.resolve({ recovered: true, at: AT, successes: 3, failing: [] })),
    }),
  );
}

async function triage(service: string): Promise<TriageResult> {
  const incident = incidentOf(service);
  const handle = await env.client.workflow.start(WORKFLOWS.triageFailure, {
    workflowId: triageWorkflowId(incident),
    taskQueue: QUEUES.monitor,
    args: [{ incident }],
  });
  return (await handle.result()) as TriageResult;
}

/** First argument of a recorded call, as the type its sender gave it. */
const read = <T>(input: readonly unknown[]): T => input[0] as T;

const historyOf = (workflowId: string) => fetchRun(accessOf(env), workflowId);

async function ticketOf(service: string): Promise<TicketSpec> {
  const [started] = await historyOf(`${service}_healthy`);
  if (started?.type !== 'started') throw new Error('no ticket');
  return read<RemediateInput>(started.input).ticket;
}

const analysis = (ticketId: string) => env.client.workflow.getHandle(analysisWorkflowId(ticketId));

async function lateVerdicts(service: string): Promise<readonly unknown[]> {
  const events = await historyOf(`${service}_healthy`);
  return events.flatMap((event) =>
    event.type === 'signaled' && event.signal === SIGNALS.verdict ? [event.input[0]] : [],
  );
}

it('a verdict in time: the ticket opens at once with what the model said, and says so', async () => {
  await startMonitor({ service: 'fast', openInMs: 30_000, askAnalyst: () => Promise.resolve(CLAUDE) });
  const startedAt = performance.now();
  expect(await triage('fast')).toMatchObject({ outcome: 'ticket_opened', ticketId: 'fast-1' });
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  expect(await ticketOf('fast')).toMatchObject({
    verdictBy: 'claude',
    objective: 'Free the disk and start api',
    suspectedCause: 'The disk is full [E1].',
    hypotheses: [{ cause: 'a full disk', evidence: ['E1'] }],
    confidence: 0.9,
    priority: 'critical',
  });
  const description = await env.client.workflow.getHandle('fast_healthy').describe();
  expect(description.searchAttributes['TicketPriority']).toEqual(['critical']);
  expect(await analysis('fast-1').result()).toEqual(CLAUDE);
  expect(await lateVerdicts('fast')).toEqual([]);
});

it.each<[string, () => Promise<AnalystAnswer>]>([
  ['has no verdict', () => Promise.resolve({ verdict: null, why: 'declined' })],
  ['fails for good', () => Promise.reject(new Error('broken'))],
])(
  'an analyst that %s: the ticket opens with the rules’ verdict, without waiting',
  async (name, askAnalyst) => {
    const service = name.replaceAll(' ', '-');
    await startMonitor({ service, openInMs: 30_000, askAnalyst });
    const startedAt = performance.now();
    expect(await triage(service)).toMatchObject({ outcome: 'ticket_opened', reason: 'confirmed' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    const ticket = await ticketOf(service);
    expect(ticket).toMatchObject({ verdictBy: 'runbook', objective: 'Bring api back', priority: 'high' });
    expect(await analysis(`${service}-1`).result()).toMatchObject({ verdict: null });
  },
);

it('an analyst that hangs: the ticket opens on time with the rules’ verdict, and hears the late one', async () => {
  const { askAnalyst, waiting } = slowAnalyst();
  await startMonitor({ service: 'slow', openInMs: 1_500, askAnalyst });
  const startedAt = performance.now();
  expect(await triage('slow')).toMatchObject({ outcome: 'ticket_opened', ticketId: 'slow-1' });
  const tookMs = performance.now() - startedAt;
  expect(tookMs).toBeGreaterThan(1_000);
  expect(tookMs).toBeLessThan(10_000);
  expect(await ticketOf('slow')).toMatchObject({ verdictBy: 'runbook', objective: 'Bring api back' });

  waiting[0]?.(CLAUDE);
  await analysis('slow-1').result();
  expect(await lateVerdicts('slow')).toEqual([
    { signature: 'verdict by claude', by: 'claude', text: 'verdict: the disk is full' },
  ]);
  const { timeline } = foldTrajectory(await historyOf('slow_healthy'));
  expect(timeline.at(-1)).toMatchObject({
    kind: 'verdict',
    title: 'late verdict by Claude',
    detail: 'verdict: the disk is full',
  });
});

describe('with an agent', () => {
  const heard: ProposeInput[] = [];
  const closing: Partial<AgentActivities> = {
    claimTicket: () => Promise.resolve({ agent: 'a', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 }),
    proposeStep: (input: ProposeInput) => {
      heard.push(input);
      const name = 'update_ticket_status';
      const calls = [{ id: `c${input.turn}`, name, input: { status: 'completed', reason: 'it holds' } }];
      return Promise.resolve({ brain: 'runbook', text: '', calls, memory: null });
    },
    decide: () => Promise.resolve({ verdict: 'allow', rule: 'any', reason: '' }),
    update_ticket_status: () =>
      Promise.resolve({ callId: 'c', tool: 'update_ticket_status', isError: false, content: '', data: {} }),
    archiveTicket: () => Promise.resolve(),
  };

  it('a late verdict is news for the brain, once', async () => {
    const { askAnalyst, waiting } = slowAnalyst();
    await startMonitor({ service: 'told', openInMs: 0, askAnalyst });
    await triage('told');
    await waitFor('the analyst is asked', () => Promise.resolve(waiting.length === 1));
    waiting[0]?.(CLAUDE);
    await analysis('told-1').result();
    const ticket = env.client.workflow.getHandle('told_healthy');
    await ticket.signal(SIGNALS.verdict, { signature: 'verdict by claude', by: 'claude', text: 'again' });
    workers.push(await startWorker(env, 'agent', closing));
    await ticket.result();
    const notes = heard.flatMap((input) => (input.ticket.service === 'told' ? [input.notes] : []));
    expect(notes).toEqual([['verdict: the disk is full']]);
  });

  it('closed before the late verdict: it is ignored, and the next failure is triaged although the first analysis goes on', async () => {
    const { askAnalyst, waiting } = slowAnalyst();
    await startMonitor({ service: 'quick', openInMs: 0, askAnalyst });
    workers.push(await startWorker(env, 'agent', closing));
    expect(await triage('quick')).toMatchObject({ ticketId: 'quick-1' });
    await env.client.workflow.getHandle('quick_healthy').result();
    expect((await analysis('quick-1').describe()).status.name).toBe('RUNNING');

    await workers.pop()?.stop();
    expect(await triage('quick')).toMatchObject({ outcome: 'ticket_opened', ticketId: 'quick-2' });
    await waitFor('the analyst is asked again', () => Promise.resolve(waiting.length === 2));
    waiting[0]?.(CLAUDE);
    expect(await analysis('quick-1').result()).toEqual(CLAUDE);
    expect(await lateVerdicts('quick')).toEqual([]);
    waiting[1]?.(CLAUDE);
    await analysis('quick-2').result();
    expect(await lateVerdicts('quick')).toHaveLength(1);
  });
});

describe('the model wants no ticket', () => {
  const no = (forceOpenAfterMs: number): AnalystAnswer => ({
    news: '',
    verdict: {
      ...RULES,
      by: 'claude',
      createTicket: false,
      reason: 'a deploy is going on [E1]',
      context: 'wait',
      forceOpenAfterMs,
    },
  });

  it('and it lasts: the ticket opens all the same, and says what the analyst had said', async () => {
    await startMonitor({
      service: 'lasting',
      openInMs: 30_000,
      askAnalyst: () => Promise.resolve(no(1)),
      verifyRecovery: () => Promise.resolve({ recovered: false, at: AT, successes: 0, failing: [] }),
    });
    expect(await triage('lasting')).toMatchObject({ outcome: 'ticket_opened' });
    expect(await ticketOf('lasting')).toMatchObject({
      verdictBy: 'claude',
      context: 'The analyst wanted no ticket: a deploy is going on [E1]\nwait',
    });
  });

  it('and it passes: no ticket, the reason is kept', async () => {
    await startMonitor({
      service: 'passing',
      openInMs: 30_000,
      askAnalyst: () => Promise.resolve(no(10_000)),
    });
    expect(await triage('passing')).toEqual({
      outcome: 'recovered',
      ticketId: null,
      reason: 'a deploy is going on [E1]',
    });
  });
});

it('a verdict that comes in the moment in which the ticket opens is not lost', async () => {
  const names = Array.from({ length: 12 }, (_, n) => `close-${n}`);
  await startMonitor({
    service: 'any',
    openInMs: 1_000,
    askAnalyst: async () => {
      await sleep(850 + Math.random() * 300);
      return CLAUDE;
    },
  });
  await Promise.all(names.map(triage));
  for (const name of names) {
    const { id, verdictBy } = await ticketOf(name);
    await analysis(id).result();
    const isLate = (await lateVerdicts(name)).length === 1;
    expect([name, verdictBy, isLate]).toEqual([name, isLate ? 'runbook' : 'claude', isLate]);
  }
});

it('a failure that joins an open ticket needs no verdict: the analysis is ended', async () => {
  const { askAnalyst } = slowAnalyst();
  await startMonitor({ service: 'joining', openInMs: 0, askAnalyst });
  expect(await triage('joining')).toMatchObject({ outcome: 'ticket_opened' });
  expect(await triage('joining')).toMatchObject({ outcome: 'evidence_added' });
  expect(await analysis('joining-2').result()).toEqual({ verdict: null, why: 'no ticket waits for it' });
  expect((await analysis('joining-1').describe()).status.name).toBe('RUNNING');
});
