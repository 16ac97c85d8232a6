import { createProposeStep } from '../../../src/activities/propose-step';
import type { Decision, ToolCall } from '../../../src/domain/tool';
import { TICKET } from '../../support/tool-deps';

const ALLOWED: Decision = { verdict: 'allow', rule: 'test', reason: '' };
const call = (id: string, name: string): ToolCall => ({ id, name, input: {} });
const INPUT = {
  ticket: TICKET,
  brain: 'runbook',
  attempt: 1,
  turn: 1,
  results: [],
  notes: [],
  memory: null,
} as const;

function proposing(calls: readonly ToolCall[], decide: (call: ToolCall) => Promise<Decision>) {
  const runbook = () => Promise.resolve({ brain: 'runbook' as const, text: '', calls, memory: null });
  return createProposeStep({ runbook, claude: null }, ({ call }) => decide(call))(INPUT);
}

it('what does not act is decided with the proposal; what acts, right before it does', async () => {
  const calls = [
    call('a', 'inspect_service'),
    call('b', 'service_control'),
    call('c', 'edit_file'),
    call('d', 'fly'),
  ];
  const { decisions } = await proposing(calls, () => Promise.resolve(ALLOWED));
  expect(decisions).toEqual({ a: ALLOWED, d: ALLOWED });
});

it('a decision that cannot be recorded is left open, and the proposal stands', async () => {
  const calls = [call('a', 'inspect_service'), call('b', 'query_logs')];
  const proposal = await proposing(calls, ({ id }) =>
    id === 'a' ? Promise.reject(new Error('the disk is full')) : Promise.resolve(ALLOWED),
  );
  expect(proposal).toMatchObject({ calls, decisions: { b: ALLOWED } });
  expect(proposal.decisions).not.toHaveProperty('a');
});
