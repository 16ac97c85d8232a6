import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { WorkflowHandle } from '@temporalio/client';
import type { CheckResult } from '../../src/domain/check';
import type { TicketResult, TicketSpec } from '../../src/domain/ticket';
import type { Proposal, ToolCall, ToolResult } from '../../src/domain/tool';
import type { AgentActivities } from '../../src/workflows/agent-contract';
import type { MonitorActivities, RemediateInput, VerifyResult } from '../../src/workflows/contract';
import { QUEUES, SIGNALS, WORKFLOWS } from '../../src/workflows/contract';
import { startTemporal, startWorker } from '../support/workflow-environment';
import { waitFor } from '../support/wait-for';

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
const failing: CheckResult = {
  invariantId: 'api_healthy',
  revision: 1,
  at: AT,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error: 'connection refused',
};

function ticket(invariantId: string): TicketSpec {
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
    firstCheck: { ...failing, invariantId },
  };
}

/** A brain that plays a list of calls and fails loudly when it runs out. */
function scripted(...calls: Omit<ToolCall, 'id'>[]) {
  const seen: (readonly ToolResult[])[] = [];
  let turn = 0;
  return {
    seen,
    proposeStep: (input: { results: readonly ToolResult[] }): Promise<Proposal> => {
      seen.push(input.results);
      const call = calls[turn];
      turn += 1;
      if (!call) throw new Error(`the script has ${calls.length} calls, turn ${turn} was asked for`);
      return Promise.resolve({
        brain: 'runbook',
        text: '',
        calls: [{ id: `c${turn}`, ...call }],
        memory: null,
      });
    },
  };
}

const tool =
  (data: ToolResult['data'], isError = false) =>
  ({ call }: { call: ToolCall }): Promise<ToolResult> =>
    Promise.resolve({ callId: call.id, tool: call.name, isError, content: 'done', data });

/** Proofs in the order they are asked for. */
function proofs(...answers: boolean[]) {
  return (): Promise<VerifyResult> => {
    const recovered = answers.shift();
    if (recovered === undefined) throw new Error('one proof too many was asked for');
    return Promise.resolve({
      recovered,
      at: AT,
      successes: recovered ? 3 : 0,
      failing: recovered ? [] : [failing],
    });
  };
}

async function run(
  activities: Partial<AgentActivities>,
  monitor: Partial<MonitorActivities>,
): Promise<WorkflowHandle<(input: RemediateInput) => Promise<TicketResult>>> {
  workers.push(
    await startWorker(env, 'agent', {
      claimTicket: () =>
        Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 }),
      decide: () => Promise.resolve({ verdict: 'allow', rule: 'test', reason: '' }),
      archiveTicket: () => Promise.resolve(),
      ...activities,
    }),
    await startWorker(env, 'monitor', monitor),
  );
  const invariantId = `i-${randomUUID()}`;
  return await env.client.workflow.start(WORKFLOWS.remediateTicket, {
    workflowId: invariantId,
    taskQueue: QUEUES.agent,
    args: [{ ticket: ticket(invariantId) }],
  });
}

const RESTART = { name: 'service_control', input: { service: 'api', action: 'restart', expect: 'exited' } };
const DONE = { name: 'update_ticket_status', input: { status: 'completed', reason: 'r' } };
const ASK = { name: 'update_ticket_status', input: { status: 'blocked', reason: 'cannot', report: 'facts' } };

async function untilStatus(handle: WorkflowHandle, status: string): Promise<Record<string, unknown>> {
  return await waitFor(`the ticket is ${status}`, async () => {
    const { searchAttributes, memo } = await handle.describe();
    return searchAttributes['TicketStatus']?.[0] === status ? { ...memo } : null;
  });
}

it('restart, then proof: completed as fixed, with the effect counted', async () => {
  const brain = scripted(RESTART, DONE);
  const handle = await run(
    { ...brain, service_control: tool({ outcome: 'performed' }), update_ticket_status: tool(null) },
    { verifyRecovery: proofs(true) },
  );
  expect(await handle.result()).toMatchObject({
    status: 'completed',
    resolution: 'fixed',
    attempts: 1,
    effects: 1,
  });
});

it('nothing was changed, then proof: completed as self-recovered', async () => {
  const brain = scripted(RESTART, DONE);
  const handle = await run(
    { ...brain, service_control: tool({ outcome: 'fenced' }), update_ticket_status: tool(null) },
    { verifyRecovery: proofs(true) },
  );
  expect(await handle.result()).toMatchObject({ resolution: 'self_recovered', effects: 0 });
});

it('"completed" without recovery: answered with the failing check, the ticket stays open', async () => {
  const brain = scripted(DONE, DONE);
  const handle = await run(
    { ...brain, update_ticket_status: tool(null) },
    { verifyRecovery: proofs(false, true) },
  );
  expect(await handle.result()).toMatchObject({ status: 'completed' });
  expect(brain.seen[1]).toMatchObject([
    { isError: true, content: 'Not verified; still failing: api_healthy: connection refused' },
  ]);
});

it('a denied call: never runs, the reason goes back to the brain', async () => {
  const brain = scripted(RESTART, DONE);
  const handle = await run(
    {
      ...brain,
      decide: ({ call }) =>
        Promise.resolve(
          call.name === 'service_control'
            ? { verdict: 'deny', rule: 'test', reason: 'not that one' }
            : { verdict: 'allow', rule: 'test', reason: '' },
        ),
      service_control: () => Promise.reject(new Error('a denied tool ran')),
      update_ticket_status: tool(null),
    },
    { verifyRecovery: proofs(true) },
  );
  expect(await handle.result()).toMatchObject({ resolution: 'self_recovered' });
  expect(brain.seen[1]).toMatchObject([{ isError: true, content: 'Refused: not that one' }]);
});

it('a tool the policy let through by mistake but nobody knows: refused, no crash', async () => {
  const brain = scripted({ name: 'rm_rf', input: {} }, DONE);
  const handle = await run({ ...brain, update_ticket_status: tool(null) }, { verifyRecovery: proofs(true) });
  expect(await handle.result()).toMatchObject({ status: 'completed' });
  expect(brain.seen[1]).toMatchObject([{ tool: 'rm_rf', isError: true }]);
});

it('a brain that gives up: blocked with its reason, stays open, closes by itself when the invariant holds', async () => {
  const handle = await run(
    {
      ...scripted(ASK),
      update_ticket_status: tool({ status: 'blocked', reason: 'cannot', report: 'facts' }),
    },
    { verifyRecovery: proofs(true) },
  );
  expect(await untilStatus(handle, 'blocked')).toMatchObject({
    blocked_on: 'person',
    escalation_reason: 'cannot',
  });
  await handle.signal(SIGNALS.recovered, { check: { ...failing, ok: true } });
  expect(await handle.result()).toMatchObject({
    status: 'completed',
    resolution: 'self_recovered',
    attempts: 1,
  });
});

it('a person asks for another try: the next attempt begins', async () => {
  const brain = scripted(ASK, DONE);
  const handle = await run({ ...brain, update_ticket_status: tool(null) }, { verifyRecovery: proofs(true) });
  await untilStatus(handle, 'blocked');
  await handle.signal(SIGNALS.retry, { by: 'ana', reason: 'again' });
  expect(await handle.result()).toMatchObject({ status: 'completed', attempts: 2 });
});

it('turns spent: blocked on the budget, not closed', async () => {
  const brain = scripted(RESTART, RESTART, RESTART, RESTART, RESTART);
  const handle = await run({ ...brain, service_control: tool({ outcome: 'noop' }) }, {});
  expect(await untilStatus(handle, 'blocked')).toMatchObject({ blocked_on: 'budget' });
  await handle.cancel();
  await handle.result();
});

it.each([
  ['cancel', 'cancelled'],
  ['dismiss', 'dismissed'],
] as const)('%s by a person: failed, the workflow itself completes', async (mode, resolution) => {
  const handle = await run({ ...scripted(ASK), update_ticket_status: tool(null) }, {});
  await untilStatus(handle, 'blocked');
  await handle.signal(SIGNALS.cancelReason, { by: 'ana', reason: 'not needed', mode });
  await handle.cancel();
  expect(await handle.result()).toMatchObject({ status: 'failed', resolution, reason: 'not needed' });
  expect((await handle.describe()).status.name).toBe('COMPLETED');
});

it('a joined invariant and a note reach the brain once, however often they are sent', async () => {
  const notes: (readonly string[])[] = [];
  const brain = scripted(ASK, DONE);
  const handle = await run(
    {
      proposeStep: (input) => {
        notes.push(input.notes);
        return brain.proposeStep(input);
      },
      update_ticket_status: tool(null),
    },
    { verifyRecovery: proofs(true) },
  );
  await untilStatus(handle, 'blocked');
  const other = { signature: 's', check: { ...failing, invariantId: 'api_fast' } };
  const note = { at: AT, by: 'ana', text: 'look at the disk', signature: 'n' };
  for (let again = 0; again < 3; again += 1) {
    await handle.signal(SIGNALS.evidence, other);
    await handle.signal(SIGNALS.note, note);
  }
  await waitFor('the ticket says what joined it', async () => {
    const { memo } = await handle.describe();
    return JSON.stringify(memo?.['joined_invariants']) === '["api_fast"]';
  });
  await handle.signal(SIGNALS.retry, { by: 'ana', reason: '' });
  await handle.result();
  expect(notes[1]).toEqual(['api_fast fails: connection refused', 'ana notes: look at the disk']);
});

describe('blocked on a person', () => {
  const evidence = (handle: WorkflowHandle, error: string, second: number) => {
    const check = {
      ...failing,
      invariantId: handle.workflowId,
      error,
      at: AT.replace(':00.', `:0${second}.`),
    };
    return handle.signal(SIGNALS.evidence, { signature: error, check });
  };
  const untilKnown = (handle: WorkflowHandle, failure: string, attempt: number) =>
    waitFor(`blocked, knows "${failure}"`, async () => {
      const { memo } = await handle.describe();
      return memo?.['failure'] === failure && memo['attempt'] === attempt;
    });

  it('another failure begins an attempt, each kind once, and a person’s word begins anew', async () => {
    const brain = scripted(ASK, ASK, ASK, ASK, ASK, DONE);
    const handle = await run(
      { ...brain, update_ticket_status: tool(null) },
      { verifyRecovery: proofs(true) },
    );
    await untilKnown(handle, 'connection refused', 1);
    await evidence(handle, 'port taken', 1);
    await untilKnown(handle, 'port taken', 2);
    await evidence(handle, 'connection refused', 2);
    await untilKnown(handle, 'connection refused', 3);
    await evidence(handle, 'port taken', 3); // tried already: known, and no attempt
    await untilKnown(handle, 'port taken', 3);
    await evidence(handle, 'status 500', 4);
    await untilKnown(handle, 'status 500', 4);
    await evidence(handle, 'status 501', 5); // one kind too many
    await untilKnown(handle, 'status 501', 4);
    await handle.signal(SIGNALS.retry, { by: 'ana', reason: '' });
    await untilKnown(handle, 'status 501', 5);
    await evidence(handle, 'port taken', 6);
    expect(await handle.result()).toMatchObject({ attempts: 6 });
  });

  it('what the brain saw itself is no news, and a check older than that neither', async () => {
    const look = { name: 'inspect_service', input: { service: 'api' } };
    const brain = scripted(look, ASK, DONE);
    let seen: ToolResult['data'] = null;
    const handle = await run(
      {
        ...brain,
        inspect_service: (input) => tool(seen)(input),
        claimTicket: ({ invariantId }) => {
          const at = AT.replace(':00.', ':05.');
          seen = { invariant: { invariantId, ok: false, at, error: 'port taken' } };
          return Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 });
        },
        update_ticket_status: tool(null),
      },
      { verifyRecovery: proofs(true) },
    );
    await untilKnown(handle, 'port taken', 1);
    await evidence(handle, 'connection refused', 4);
    await evidence(handle, 'port taken', 6);
    await handle.signal(SIGNALS.note, { at: AT, by: 'ana', text: 'n', signature: 'n' });
    await untilKnown(handle, 'port taken', 1);
    await evidence(handle, 'connection refused', 7);
    expect(await handle.result()).toMatchObject({ attempts: 2 });
    expect(brain.seen).toHaveLength(3);
  });
});

describe('how the service was left', () => {
  const CLAIM = { agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 } as const;
  const untilLeft = (handle: WorkflowHandle, fingerprint: string, attempt: number) =>
    waitFor(`blocked, left as ${fingerprint}`, async () => {
      const { memo } = await handle.describe();
      return memo?.['fingerprint'] === fingerprint && memo['attempt'] === attempt;
    });
  const changed = (handle: WorkflowHandle, fingerprint: string) =>
    handle.signal(SIGNALS.evidence, {
      signature: 's',
      check: { ...failing, invariantId: handle.workflowId },
      fingerprint,
    });

  it('somebody’s repair begins an attempt that knows what was changed; the same state twice does not', async () => {
    const causes: (string | undefined)[] = [];
    const left = ['f1.p1', 'f2.p1', 'f2.p2'];
    const brain = scripted(ASK, ASK, ASK, DONE);
    const handle = await run(
      {
        claimTicket: () => Promise.resolve(CLAIM),
        proposeStep: (input) => {
          causes.push(input.begunBy);
          return brain.proposeStep(input);
        },
        update_ticket_status: (input) => tool({ fingerprint: left.shift() ?? null })(input),
      },
      { verifyRecovery: proofs(true) },
    );
    await untilLeft(handle, 'f1.p1', 1);
    await changed(handle, 'f2.p1');
    await untilLeft(handle, 'f2.p1', 2);
    await changed(handle, 'f2.p2');
    await untilLeft(handle, 'f2.p2', 3);
    await changed(handle, 'f2.p2');
    await changed(handle, 'f2.p1'); // tried already
    await untilLeft(handle, 'f2.p1', 3);
    await handle.signal(SIGNALS.retry, { by: 'ana', reason: '' });
    await handle.result();
    expect(causes).toEqual(['opened', 'changed_files', 'changed_process', 'person']);
  });

  it('held by a pause: the brain hears the rule, and the same failure after the pause begins the next attempt', async () => {
    const brain = scripted(RESTART, ASK, DONE);
    const handle = await run(
      {
        ...brain,
        claimTicket: () => Promise.resolve(CLAIM),
        decide: ({ call }) =>
          Promise.resolve(
            call.name === 'service_control'
              ? { verdict: 'deny', rule: 'paused', reason: 'ana paused it' }
              : { verdict: 'allow', rule: 'test', reason: '' },
          ),
        update_ticket_status: tool(null),
      },
      { verifyRecovery: proofs(true) },
    );
    await waitFor('blocked, what fails is not known', async () => {
      const { memo } = await handle.describe();
      return memo?.['failure'] === 'paused';
    });
    expect(brain.seen[1]).toMatchObject([{ isError: true, data: { outcome: 'refused', rule: 'paused' } }]);
    await handle.signal(SIGNALS.evidence, {
      signature: 's',
      check: { ...failing, invariantId: handle.workflowId },
    });
    expect(await handle.result()).toMatchObject({ attempts: 2, effects: 0, resolution: 'self_recovered' });
  });
});

const RESTORE_FILE = { name: 'restore_file', input: { path: '/etc/api.json' } };

it('a restored file, then proof: fixed, and the file stays', async () => {
  const handle = await run(
    {
      ...scripted(RESTORE_FILE, DONE),
      restore_file: tool({ outcome: 'performed' }),
      update_ticket_status: tool(null),
    },
    { verifyRecovery: proofs(true) },
  );
  expect(await handle.result()).toMatchObject({ resolution: 'fixed', effects: 1 });
});

it.each([
  ['cancelled after an edit: the edits are put back once, then it ends', RESTORE_FILE, 1],
  ['cancelled after a restart: there is nothing to put back', RESTART, 0],
])('%s', async (_what, call, undos) => {
  const undone: string[] = [];
  const handle = await run(
    {
      ...scripted(call, ASK),
      restore_file: tool({ outcome: 'performed' }),
      service_control: tool({ outcome: 'performed' }),
      update_ticket_status: tool(null),
      undo_edits: (input) => {
        undone.push(input.ticket.ticketId);
        return tool({ outcome: 'performed' })(input);
      },
    },
    {},
  );
  await untilStatus(handle, 'blocked');
  await handle.cancel();
  expect(await handle.result()).toMatchObject({ status: 'failed', resolution: 'cancelled' });
  expect(undone).toHaveLength(undos);
});
