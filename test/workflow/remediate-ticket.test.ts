import type { WorkflowHandle } from '@temporalio/client';
import type { ToolResult } from '../../src/domain/tool';
import { SIGNALS } from '../../src/workflows/contract';
import {
  ASK,
  AT,
  DONE,
  failing,
  proofs,
  RESTART,
  scripted,
  TicketBench,
  tool,
  untilStatus,
} from '../support/ticket-bench';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

const bench = new TicketBench();
const run: TicketBench['run'] = (activities, monitor) => bench.run(activities, monitor);

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

  it('another brain went on after the one that asked: how it left the service is no change, what comes after is', async () => {
    const causes: (string | undefined)[] = [];
    const runbook = scripted(ASK, DONE);
    const handle = await run(
      {
        claimTicket: () => Promise.resolve({ ...CLAIM, brains: ['runbook', 'claude'] }),
        proposeStep: (input) => {
          causes.push(input.begunBy);
          if (input.brain === 'runbook') return runbook.proposeStep(input);
          const handOver = 'the budget is spent';
          return Promise.resolve({ brain: 'claude', text: '', calls: [], memory: null, handOver });
        },
        update_ticket_status: tool({ reason: 'cannot', report: 'facts', fingerprint: 'f1.p1' }),
      },
      { verifyRecovery: proofs(true) },
    );
    expect(await untilStatus(handle, 'blocked')).toMatchObject({ escalation_reason: 'cannot' });
    await changed(handle, 'f2.p1');
    await untilLeft(handle, 'f2.p1', 1);
    await changed(handle, 'f3.p1');
    expect(await handle.result()).toMatchObject({ attempts: 2 });
    expect(causes).toEqual(['opened', 'opened', 'changed_files']);
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
