import type { RefusalStopDetails, StopReason } from '@anthropic-ai/sdk/resources/messages';
import { mismatch } from './json-schema';
import type { ClaudeRequest } from './request';
import { turnsOf } from './request';

/** How the server says what it is, in a header of every reply and before every text. */
export const STAND_IN_LABEL = 'scripted stand-in, not Claude';

/** What the model says in one reply. */
export interface ScriptedTurn {
  readonly thinking?: string;
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** The answer to a request with `output_config.format`; a string is sent as it is. */
  readonly json?: string | object;
  /** Left out: follows from the content. */
  readonly stopReason?: StopReason;
  readonly refusalCategory?: RefusalStopDetails['category'];
  /** Ends in the middle of the last block, as when `max_tokens` is reached there. */
  readonly isCutOff?: boolean;
  /** Says what the API promises not to say (a second call although forbidden, wrong input of a strict tool). */
  readonly evenIfForbidden?: boolean;
}

export interface ScriptedCall {
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Sent instead of `input`; need not be JSON. */
  readonly rawInput?: string;
}

/**
 * A list answers by position: its n-th turn answers every request that carries n assistant turns, so a repeated request
 * gets the same answer. A function answers as it likes.
 */
export type Script = readonly ScriptedTurn[] | ((request: ClaudeRequest) => ScriptedTurn);

/** The script and the request do not go together: the test is wrong, not the client. */
export class ScriptProblem extends Error {
  override readonly name = 'ScriptProblem';
}

export function takeTurn(script: Script | undefined, request: ClaudeRequest): ScriptedTurn {
  if (script === undefined) throw new ScriptProblem('there is no script');
  if (typeof script === 'function') return script(request);
  const position = turnsOf(request).filter(({ role }) => role === 'assistant').length;
  const turn = script[position];
  if (turn) return turn;
  throw new ScriptProblem(
    `the script has run out: it has ${script.length} turns, and turn ${position + 1} was asked for`,
  );
}

/** Throws ScriptProblem for a turn that the API could not have given to this request. */
export function checkTurn(turn: ScriptedTurn, request: ClaudeRequest): void {
  const { calls = [], stopReason, evenIfForbidden: isRude = false } = turn;
  const expected = calls.length > 0 ? 'tool_use' : 'end_turn';
  if ((stopReason === 'tool_use' || stopReason === 'end_turn') && stopReason !== expected) {
    throw new ScriptProblem(`stop_reason ${stopReason} does not go with ${calls.length} calls`);
  }
  if (turn.json !== undefined && !request.output_config?.format) {
    throw new ScriptProblem('a JSON answer needs output_config.format in the request');
  }
  if (isRude) return;
  checkFormat(turn, request);
  const choice = request.tool_choice;
  if (calls.length > 0 && choice?.type === 'none')
    throw new ScriptProblem('tool_choice none, but the turn has calls');
  const isSingle =
    choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use;
  if (calls.length > 1 && isSingle === true)
    throw new ScriptProblem('parallel calls are disabled by the request');
  for (const call of calls) checkCall(call, request);
}

function checkFormat({ json, stopReason, isCutOff = false }: ScriptedTurn, request: ClaudeRequest): void {
  const format = request.output_config?.format;
  if (!format || isCutOff || (stopReason !== undefined && stopReason !== 'end_turn')) return;
  if (json === undefined)
    throw new ScriptProblem('the request has output_config.format, but the turn has no json');
  const value: unknown = typeof json === 'string' ? JSON.parse(json) : json;
  const problem = mismatch(value, format.schema, format.schema, 'answer');
  if (problem !== null) throw new ScriptProblem(`the answer does not fit its schema: ${problem}`);
}

function checkCall(call: ScriptedCall, { tools = [] }: ClaudeRequest): void {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) throw new ScriptProblem(`the request declares no tool ${call.name}`);
  if (tool.strict !== true) return;
  if (call.rawInput !== undefined)
    throw new ScriptProblem(`${call.name} is strict: its input is always JSON`);
  const problem = mismatch(call.input, tool.input_schema);
  if (problem !== null) throw new ScriptProblem(`${call.name} is strict: ${problem}`);
}
