import { readFileSync } from 'node:fs';
import { isActingTool, isToolName } from '../../src/domain/tool';
import type { ClaudeRequest } from './claude-server/request';
import { turnsOf, userTextOf } from './claude-server/request';
import { ScriptProblem } from './claude-server/script';
import type { ScriptedCall, ScriptedTurn } from './claude-server/script';
import type { Step } from './ticket-steps';

/** The call of each turn; the third and the fourth have an effect that can be counted. */
const SIX_TOOLS = [
  'inspect_service',
  'add_ticket_note',
  'edit_file',
  'service_control',
  'inspect_service',
  'update_ticket_status',
] as const;
export const TURNS = SIX_TOOLS.length;
export const RESTART_TURN = SIX_TOOLS.indexOf('service_control') + 1;

/** The n-th call of the model, counted from 1. */
export function modelStep(turn: number): Step {
  return {
    activity: 'proposeStep',
    nth: turn,
    follows: SIX_TOOLS[turn - 2] ?? 'claimTicket',
    worker: 'agent',
  };
}

/** The call of the n-th turn. */
export function toolStep(turn: number): Step {
  const activity = SIX_TOOLS[turn - 1] ?? '';
  const nth = SIX_TOOLS.slice(0, turn).filter((name) => name === activity).length;
  // Once the service is back, a sweep may say so, and the proof comes before the next turn.
  const next = turn < RESTART_TURN ? 'proposeStep' : turn === TURNS ? 'verifyRecovery' : null;
  // What does not act is decided with the proposal.
  const follows = isToolName(activity) && isActingTool(activity) ? 'decide' : 'proposeStep';
  return { activity, nth, follows, worker: 'agent', ...(next !== null && { next }) };
}

/** The name of the service that a conversation is about. */
export function serviceIn(request: Pick<ClaudeRequest, 'messages'>): string {
  const found = /^service: (\w+)$/m.exec(userTextOf(request))?.[1];
  if (found === undefined) throw new ScriptProblem('the prompt names no service');
  return found;
}

/** The turn that a request asks for, counted from 1. */
export function turnAsked(request: Pick<ClaudeRequest, 'messages'>): number {
  return turnsOf(request).filter(({ role }) => role === 'assistant').length + 1;
}

/** Says the same at the same place of every conversation. `fileOf`: the file that is edited, see `editsIn`. */
export function sixTurns(fileOf: (service: string) => string) {
  return (request: ClaudeRequest): ScriptedTurn => {
    const service = serviceIn(request);
    const inputs: readonly ScriptedCall['input'][] = [
      { service },
      { text: 'The process has ended.' },
      { path: fileOf(service), old: '[', new: '[1, ' },
      { service, action: 'restart', expect: 'exited' },
      { service },
      { status: 'completed', reason: 'After a restart the invariant holds.' },
    ];
    const turn = turnAsked(request);
    const [name, input] = [SIX_TOOLS[turn - 1], inputs[turn - 1]];
    if (!name || !input) throw new ScriptProblem(`there is no turn ${turn}`);
    const text = `Turn ${turn}.`;
    return { thinking: text, text, calls: [{ name, input }] };
  };
}

export const UNEDITED = '[0]\n';

/** How often the file was edited: an edit that is made twice counts twice. */
export function editsIn(file: string): number {
  return (JSON.parse(readFileSync(file, 'utf8')) as number[]).length - 1;
}
