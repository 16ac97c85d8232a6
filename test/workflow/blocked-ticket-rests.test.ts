import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { TicketResult } from '../../src/domain/ticket';
import type { MonitorActivities, RemediateInput, TicketEvidence } from '../../src/workflows/contract';
import { QUEUES, SIGNALS, WORKFLOWS } from '../../src/workflows/contract';
import { at, failed, T0 } from '../support/invariants';
import { waitFor } from '../support/wait-for';
import { startTemporal, startWorker } from '../support/workflow-environment';

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

type Ticket = WorkflowHandle<(input: RemediateInput) => Promise<TicketResult>>;

/** A ticket whose brain asks a person so many times, and then for the proof. */
async function ticketThatAsks(
  times: number,
  verifyRecovery: MonitorActivities['verifyRecovery'],
  retryAfterMs = 600_000,
): Promise<Ticket> {
  const id = `i-${randomUUID()}`;
  const name = 'update_ticket_status';
  const done = { callId: 'c', tool: name, isError: false, content: '', data: null };
  workers.push(
    await startWorker(env, 'agent', {
      claimTicket: () => Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs }),
      decide: () => Promise.resolve({ verdict: 'allow', rule: 'test', reason: '' }),
      archiveTicket: () => Promise.resolve(),
      update_ticket_status: () => Promise.resolve(done),
      proposeStep: ({ attempt }) => {
        const input = { status: attempt <= times ? 'blocked' : 'completed', reason: 'r' };
        return Promise.resolve({
          brain: 'runbook',
          text: '',
          calls: [{ id: 'c', name, input }],
          memory: null,
        });
      },
    }),
    await startWorker(env, 'monitor', { verifyRecovery }),
  );
  return await env.client.workflow.start(WORKFLOWS.remediateTicket, {
    workflowId: id,
    taskQueue: QUEUES.agent,
    args: [
      {
        ticket: {
          id: `T-${id}`,
          invariantId: id,
          service: 'api',
          objective: 'Bring api back',
          successCriteria: 'it holds',
          context: '',
          priority: 'high',
          suspectedCause: 'killed',
          confidence: 0.8,
          sourceType: 'monitor',
          sourceId: id,
          detectedAt: T0,
          createdAt: T0,
          joinedInvariants: [],
          evidence: [],
          firstCheck: failed(id),
        },
      },
    ],
  });
}

const untilBlocked = (ticket: Ticket, attempt: number, failure?: string) =>
  waitFor(`blocked in attempt ${attempt}`, async () => {
    const { memo, searchAttributes } = await ticket.describe();
    const isBlocked = searchAttributes['TicketStatus']?.[0] === 'blocked' && memo?.['attempt'] === attempt;
    return isBlocked && (failure === undefined || memo['failure'] === failure);
  });
const sayItHolds = (ticket: Ticket) =>
  ticket.signal(SIGNALS.recovered, { check: failed(ticket.workflowId, { ok: true, error: null }) });
const proof = (recovered: boolean) => ({ recovered, at: T0, successes: 0, failing: [] });

it('said to hold again and again although the proof fails: one proof in 30 s, and the next one closes it', async () => {
  const provenAt: number[] = [];
  const ticket = await ticketThatAsks(1, () => {
    provenAt.push(performance.now());
    return Promise.resolve(proof(provenAt.length > 1));
  });
  await untilBlocked(ticket, 1);
  await sayItHolds(ticket);
  await waitFor('the first proof', () => Promise.resolve(provenAt.length === 1));
  await untilBlocked(ticket, 1);
  for (let again = 0; again < 3; again += 1) await sayItHolds(ticket);
  expect(await ticket.result()).toMatchObject({ resolution: 'self_recovered', attempts: 1 });
  const [first = 0, second = 0, ...more] = provenAt;
  expect(second - first).toBeGreaterThan(29_900);
  expect(more).toEqual([]);
});

it('a person who asks for another try does not wait for the rest', async () => {
  let proofs = 0;
  const ticket = await ticketThatAsks(1, () => Promise.resolve(proof((proofs += 1) > 1)));
  await untilBlocked(ticket, 1);
  await sayItHolds(ticket);
  await waitFor('the first proof', () => Promise.resolve(proofs === 1));
  await untilBlocked(ticket, 1);
  const askedAt = performance.now();
  await ticket.signal(SIGNALS.retry, { by: 'ana', reason: '' });
  expect(await ticket.result()).toMatchObject({ attempts: 2 });
  expect(performance.now() - askedAt).toBeLessThan(10_000);
});

it('a proof that fails does not put off the next attempt', async () => {
  const retryAfterMs = 8_000;
  let proofs = 0;
  const ticket = await ticketThatAsks(1, () => Promise.resolve(proof((proofs += 1) > 1)), retryAfterMs);
  await untilBlocked(ticket, 1);
  const blockedAt = performance.now();
  const isLate = () => Promise.resolve(performance.now() - blockedAt > retryAfterMs * 0.75);
  await waitFor('most of the time is over', isLate);
  await sayItHolds(ticket);
  expect(await ticket.result()).toMatchObject({ attempts: 2 });
  expect(performance.now() - blockedAt).toBeLessThan(retryAfterMs * 1.5);
});

it('a failure that goes back and forth is not published each time, and its last face is', async () => {
  const ticket = await ticketThatAsks(3, () => Promise.resolve(proof(true)));
  const fail = async (error: string, second: number) => {
    const check = failed(ticket.workflowId, { error, at: at(second) });
    await ticket.signal<[TicketEvidence]>(SIGNALS.evidence, { signature: error, check });
  };
  /** How often its memo was written, once everything sent is taken in. */
  const written = () =>
    waitFor('nothing is under way', async () => {
      const { events } = await ticket.fetchHistory();
      const last = events?.at(-1);
      const isUnderWay =
        last?.workflowExecutionSignaledEventAttributes ??
        last?.workflowTaskScheduledEventAttributes ??
        last?.workflowTaskStartedEventAttributes;
      if (isUnderWay || !events) return null;
      return events.filter((event) => event.workflowPropertiesModifiedEventAttributes).length;
    });
  await untilBlocked(ticket, 1);
  await fail('port taken', 1);
  await untilBlocked(ticket, 2, 'port taken');
  await fail('refused', 2);
  await untilBlocked(ticket, 3, 'refused');
  const before = await written();
  for (let second = 3; second <= 9; second += 1) {
    await fail(second % 2 === 0 ? 'refused' : 'port taken', second);
    await written();
  }
  await untilBlocked(ticket, 3, 'port taken');
  expect((await written()) - before).toBeLessThanOrEqual(2);
  await ticket.cancel();
  await ticket.result();
});
