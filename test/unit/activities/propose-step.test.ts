import { ApplicationFailure } from '@temporalio/common';
import { createProposeStep } from '../../../src/activities/propose-step';
import { FAILURES } from '../../../src/domain/failures';
import type { Decision, ToolCall } from '../../../src/domain/tool';
import { TICKET } from '../../support/tool-deps';

const call = (id: string, name: string): ToolCall => ({ id, name, input: {} });
const decision = (verdict: Decision['verdict']): Decision => ({ verdict, rule: 'test', reason: '' });
const INPUT = { ticket: TICKET, brain: 'runbook', attempt: 1, turn: 1, results: [], notes: [] } as const;

async function decided(
  calls: readonly ToolCall[],
  decide: (call: ToolCall) => Promise<Decision> = () => Promise.resolve(decision('allow')),
) {
  const runbook = () => Promise.resolve({ brain: 'runbook' as const, text: '', calls, memory: null });
  const proposeStep = createProposeStep({ runbook, claude: null }, ({ call }) => decide(call));
  const proposal = await proposeStep({ ...INPUT, memory: null });
  expect(proposal.calls).toEqual(calls);
  return proposal.decisions;
}

it('what does not act is decided with the proposal; what acts, right before it does', async () => {
  const calls = ['inspect_service', 'service_control', 'edit_file', 'fly'].map((name) => call(name, name));
  expect(await decided(calls)).toEqual([decision('allow'), null, null, decision('allow')]);
});

it('each call has its own decision, whatever IDs a server gives', async () => {
  const calls = [call('same', 'query_logs'), call('same', 'read_file'), call('constructor', 'list_files')];
  const decide = ({ name }: ToolCall) => Promise.resolve(decision(name === 'query_logs' ? 'deny' : 'allow'));
  expect(await decided(calls, decide)).toEqual([decision('deny'), decision('allow'), decision('allow')]);
});

it('a decision that cannot be recorded is left open, and the proposal stands', async () => {
  const full = ApplicationFailure.create({ type: FAILURES.storage, message: 'the disk is full' });
  const calls = [call('a', 'inspect_service'), call('b', 'query_logs')];
  const decide = ({ id }: ToolCall) =>
    id === 'a' ? Promise.reject(full) : Promise.resolve(decision('allow'));
  expect(await decided(calls, decide)).toEqual([null, decision('allow')]);
});

it('a bug in a rule is no reason to ask again', async () => {
  await expect(
    decided([call('a', 'inspect_service')], () => Promise.reject(new TypeError('undefined is no rule'))),
  ).rejects.toThrow('undefined is no rule');
});
