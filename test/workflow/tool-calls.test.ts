import { ApplicationFailure } from '@temporalio/common';
import type { Decision, ToolCall } from '../../src/domain/tool';
import { DONE, proofs, RESTART, scripted, TicketBench, tool } from '../support/ticket-bench';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

const bench = new TicketBench();
const run: TicketBench['run'] = (activities, monitor) => bench.run(activities, monitor);

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

describe('decisions that come with the proposal', () => {
  const LOOK = { name: 'inspect_service', input: { service: 'api' } };
  const allow = { verdict: 'allow', rule: 'test', reason: '' } as const;
  /** One such call with that decision, then the ticket asks for the proof; the names of what `decide` was asked. */
  async function decidedBefore(call: Omit<ToolCall, 'id'>, decision: Decision, id: string) {
    const asked: string[] = [];
    const brain = scripted(call, DONE);
    const handle = await run(
      {
        ...brain,
        proposeStep: async (input) => {
          const proposal = await brain.proposeStep(input);
          if (brain.seen.length > 1) return proposal;
          const calls = proposal.calls.map((one) => ({ ...one, id }));
          return { ...proposal, calls, decisions: [decision] };
        },
        decide: ({ call: { name } }) => {
          asked.push(name);
          return Promise.resolve({ verdict: 'deny', rule: 'test', reason: 'asked in time' });
        },
        inspect_service: tool(null),
        service_control: () => Promise.reject(new Error('a denied tool ran')),
        update_ticket_status: tool(null),
      },
      { verifyRecovery: proofs(true) },
    );
    await waitFor('the second turn', () => Promise.resolve(brain.seen.length > 1));
    await handle.cancel();
    await handle.result();
    return { asked: asked.slice(0, 1), results: brain.seen[1] };
  }

  it('a look that was allowed runs, and nobody is asked again', async () => {
    const { asked, results } = await decidedBefore(LOOK, allow, 'c1');
    expect(asked).not.toContain('inspect_service');
    expect(results).toMatchObject([{ isError: false, content: 'done' }]);
  });

  it('a look that was denied does not run', async () => {
    const deny = { verdict: 'deny', rule: 'test', reason: 'not that one' } as const;
    const { asked, results } = await decidedBefore(LOOK, deny, 'c1');
    expect(asked).not.toContain('inspect_service');
    expect(results).toMatchObject([{ isError: true, content: 'Refused: not that one' }]);
  });

  it.each(['c1', 'constructor'])(
    'what acts is decided when it runs, whatever came before (%s)',
    async (id) => {
      const { asked, results } = await decidedBefore(RESTART, allow, id);
      expect(asked).toEqual(['service_control']);
      expect(results).toMatchObject([{ isError: true, content: 'Refused: asked in time' }]);
    },
  );
});

it('an acting tool that failed for good: its outcome is unknown, counted as an effect, and the brain is to look', async () => {
  const brain = scripted(RESTART, DONE);
  const handle = await run(
    {
      ...brain,
      service_control: () => Promise.reject(ApplicationFailure.nonRetryable('the socket broke')),
      update_ticket_status: tool(null),
    },
    { verifyRecovery: proofs(true) },
  );
  expect(await handle.result()).toMatchObject({ resolution: 'fixed', effects: 1 });
  expect(brain.seen[1]).toMatchObject([
    {
      isError: true,
      content: 'The outcome is unknown (the socket broke); inspect before acting again.',
    },
  ]);
});
