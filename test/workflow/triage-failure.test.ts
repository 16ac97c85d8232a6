import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { CheckResult } from '../../src/domain/check';
import type { Incident } from '../../src/domain/incident';
import type { Verdict } from '../../src/domain/analyst-rules';
import type { MonitorActivities, RemediateInput, TicketEvidence } from '../../src/workflows/contract';
import { QUEUES, SIGNALS, triageWorkflowId, WORKFLOWS } from '../../src/workflows/contract';
import { fetchRun } from '../../src/client/history';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';
import type { TriageResult } from '../../src/workflows/triage-contract';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await startTemporal();
});
afterAll(async () => {
  await env.teardown();
});

/** First argument of a recorded call, as the type its sender gave it. */
const read = <T>(input: readonly unknown[]): T => input[0] as T;

const AT = '2026-01-01T00:00:00.000Z';
const word = (n: number) => String.fromCharCode(97 + n);

function incident(invariantId: string, error: string): Incident {
  const check: CheckResult = {
    invariantId,
    revision: 1,
    at: AT,
    ok: false,
    latencyMs: 1,
    resolved: {},
    error,
  };
  return { invariantId, service: 'api', priority: 'high', detectedAt: AT, check, joined: [] };
}

const verdict: Verdict = {
  createTicket: true,
  reason: 'confirmed',
  objective: 'Bring api back',
  successCriteria: 'it holds',
  context: '',
  suspectedCause: 'unknown',
  confidence: 0.5,
  forceOpenAfterMs: 10_000,
};

let minted = 0;
const activities: Partial<MonitorActivities> = {
  collectEvidence: () => Promise.resolve({ ticketId: `T${(minted += 1)}`, at: AT, items: [] }),
  analyzeFailure: () => Promise.resolve(verdict),
};

async function startTriage(workflowId: string, input: Incident): Promise<{ result: Promise<TriageResult> }> {
  const handle = await env.client.workflow.start(WORKFLOWS.triageFailure, {
    workflowId,
    taskQueue: QUEUES.monitor,
    args: [{ incident: input }],
  });
  return { result: handle.result() as Promise<TriageResult> };
}

it('20 triages of one failure race to open its ticket: one opens it, 19 add their evidence, none is lost', async () => {
  const first = await startWorker(env, 'monitor', activities);
  const started = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      startTriage(`triage/racing-${n}`, incident('racing', `reason ${word(n)}`)),
    ),
  );
  await first.stop();
  const second = await startWorker(env, 'monitor', activities);
  const results = await Promise.all(started.map(({ result }) => result));
  await second.stop();

  expect(results.filter((result) => result.outcome === 'ticket_opened')).toHaveLength(1);
  expect(results.filter((result) => result.outcome === 'evidence_added')).toHaveLength(19);
  const runs = [];
  for await (const run of env.client.workflow.list({
    query: `WorkflowType = "RemediateTicket" AND InvariantId = "racing"`,
  })) {
    runs.push(run);
  }
  expect(runs).toHaveLength(1);

  const events = await fetchRun(accessOf(env), 'racing');
  const reasons = events.flatMap((event) => {
    if (event.type === 'started') return [read<RemediateInput>(event.input).ticket.firstCheck?.error];
    const isEvidence = event.type === 'signaled' && event.signal === SIGNALS.evidence;
    return isEvidence ? [read<TicketEvidence>(event.input).check.error] : [];
  });
  expect(reasons.sort()).toEqual(Array.from({ length: 20 }, (_, n) => `reason ${word(n)}`));
});

it('its service got a ticket after the sweep had looked: the failure joins it; once that has closed, a ticket opens', async () => {
  const owner = 'first_rule';
  const monitor = await startWorker(env, 'monitor', {
    ...activities,
    collectEvidence: () =>
      Promise.resolve({ ticketId: `T${(minted += 1)}`, at: AT, items: [], openTicket: owner }),
  });
  const ticket = await env.client.workflow.start(WORKFLOWS.remediateTicket, {
    workflowId: owner,
    taskQueue: 'nobody works here',
    args: [{ ticket: { id: 'T-first', invariantId: owner } }],
  });
  const triage = async (n: number) =>
    (await startTriage(`triage/late-${n}`, incident('second_rule', 'late'))).result;
  expect(await triage(1)).toMatchObject({
    outcome: 'evidence_added',
    reason: 'the ticket of first_rule is open',
  });
  const evidence = (await fetchRun(accessOf(env), owner)).filter(({ type }) => type === 'signaled');
  expect(evidence).toMatchObject([
    { signal: SIGNALS.evidence, input: [{ check: { invariantId: 'second_rule' } }] },
  ]);
  await ticket.terminate();
  expect(await triage(2)).toMatchObject({ outcome: 'ticket_opened' });
  await monitor.stop();
});

it.each([
  ['recovers meanwhile: no ticket', true, 'recovered', null],
  ['stays down: the ticket opens all the same', false, 'ticket_opened', expect.any(String)],
])('the analyst says no and it %s', async (name, recovered, outcome, ticketId) => {
  const invariantId = `no-${recovered}`;
  const monitor = await startWorker(env, 'monitor', {
    ...activities,
    analyzeFailure: () =>
      Promise.resolve({ ...verdict, createTicket: false, reason: 'noise', forceOpenAfterMs: 1 }),
    verifyRecovery: () => Promise.resolve({ recovered, at: AT, successes: 0, failing: [] }),
  });
  const { result } = await startTriage(
    triageWorkflowId({ service: 'api', invariantId }),
    incident(invariantId, name),
  );
  const triaged = await result;
  await monitor.stop();
  expect(triaged).toEqual({ outcome, ticketId, reason: 'noise' });
});
