import { answeredCalls } from './conversation';
import type { AnsweredCall } from './conversation';
import type { ClaudeRequest } from './request';
import { userTextOf } from './request';
import { ScriptProblem } from './script';
import type { ScriptedTurn } from './script';

const MAX_LOOKS = 8;
const MAX_RESTARTS = 4;
const LOOK_S = 5;
/** Silence without any sign of an end: worth one such look before it is restarted. */
const PATIENCE_S = 4.5;
/** What the check says of a target that gave no answer at all, as opposed to a wrong one. */
const NO_ANSWER = /no answer|without an answer|no connection|ECONN|EPIPE|EHOSTUNREACH|hang up/i;

/**
 * Plays the harness's own ladder from what a conversation shows: look → restart with the `expect` of the look → propose
 * completed, or ask a person. `service`: left out, it is read from the first message (`service: name`).
 */
export function runbookPlayer(options: { readonly service?: string } = {}) {
  return (request: ClaudeRequest): ScriptedTurn => {
    const service = options.service ?? serviceOf(request);
    const calls = answeredCalls(request);
    const last = calls.at(-1);
    if (!last) return look(service, calls, 'See whether it is still wrong, and what the process does.');
    switch (last.name) {
      case 'inspect_service':
        return afterLook(service, calls, last);
      case 'service_control':
        return afterControl(service, calls, last);
      case 'update_ticket_status':
        return last.input['status'] === 'blocked' && !last.isError
          ? { text: 'A person has it now.' }
          : look(service, calls, 'The proof failed; look again.');
      default:
        return look(service, calls, 'Look again.');
    }
  };
}

function serviceOf(request: ClaudeRequest): string {
  const found = /\bservice["*`]*\s*[:=]\s*["'`]?([\w.-]+)/i.exec(userTextOf(request))?.[1];
  if (found === undefined) throw new ScriptProblem('the prompt names no service ("service: name")');
  return found;
}

function afterLook(
  service: string,
  calls: readonly AnsweredCall[],
  { isError, text, input }: AnsweredCall,
): ScriptedTurn {
  if (isError) return look(service, calls, 'It could not be seen; look again.', LOOK_S);
  // Removed meanwhile, or well again: the proof decides.
  if (/^invariant: could not be probed$|^invariant \S+ holds \(/m.test(text)) return proposeDone(calls);
  const failure = /^invariant \S+ fails: ([\s\S]*?) \([\d.]+ ms, /m.exec(text)?.[1];
  if (failure === undefined) return askPerson(`The inspection of ${service} could not be read.`, text);
  const expect = expectationIn(text);
  if (expect === null)
    return askPerson(`The harness does not run ${service}, so it cannot restart it.`, text);
  if (/\bwanted: stopped\b/.test(text)) return askPerson(`${service} was stopped by a person.`, text);
  if (text.includes('do not act on it, ask a person')) return askPerson('A stranger holds its port.', text);
  if (expect === 'exited')
    return restart(service, calls, expect, 'The process has ended: start it again.', text);
  if (text.includes('within its boot time'))
    return look(service, calls, 'It is still booting: wait for it.', LOOK_S);
  if (text.includes('Its readiness URL answers')) return askPerson('The check itself may be wrong.', text);
  if (!NO_ANSWER.test(failure)) return askPerson(`${service} answers, but wrongly.`, text);
  if (input['wait_s'] === undefined) {
    return look(service, calls, 'It is silent but alive: give a stall the time to heal.', PATIENCE_S);
  }
  return restart(service, calls, expect, 'Alive, but silent for too long: restart it.', text);
}

function afterControl(
  service: string,
  calls: readonly AnsweredCall[],
  { isError, text }: AnsweredCall,
): ScriptedTurn {
  if (/\bpaused\b/.test(text) && isError) return askPerson(`${service} is paused.`, text);
  if (!isError && /^(Done: |Nothing to do, )/m.test(text)) return proposeDone(calls);
  return look(service, calls, 'The restart did not do it; look again.');
}

/** As `inspect_service` writes it: `to act, pass "expect": …` on a line of its own. */
function expectationIn(text: string): unknown {
  const written = /to act, pass "expect": (.+)$/m.exec(text)?.[1];
  return written === undefined ? null : JSON.parse(written);
}

function look(service: string, calls: readonly AnsweredCall[], text: string, waitS?: number): ScriptedTurn {
  const looks = calls.filter(({ name }) => name === 'inspect_service').length;
  if (looks > MAX_LOOKS) return askPerson(`${service} did not come back.`, calls.at(-1)?.text ?? '');
  const input = waitS === undefined ? { service } : { service, wait_s: waitS };
  return { thinking: text, text, calls: [{ name: 'inspect_service', input }] };
}

function restart(
  service: string,
  calls: readonly AnsweredCall[],
  expect: unknown,
  text: string,
  seen: string,
): ScriptedTurn {
  const tried = restartsIn(calls);
  // A fenced call did nothing, and is not held against the next.
  const failed = tried.filter((call) => call.isError && call.text.startsWith('Tried to'));
  if (failed.length > 0 || tried.length >= MAX_RESTARTS) {
    return askPerson(`${service} is still broken after ${tried.length} restarts.`, seen);
  }
  const input = { service, action: 'restart', expect };
  return { thinking: text, text, calls: [{ name: 'service_control', input }] };
}

function proposeDone(calls: readonly AnsweredCall[]): ScriptedTurn {
  const hasActed = restartsIn(calls).length > 0;
  const reason = hasActed
    ? 'After a restart the invariant holds.'
    : 'The invariant holds again without any action.';
  const text = hasActed
    ? 'It answers again: ask for the proof.'
    : 'Nothing is wrong any more: ask for the proof.';
  return {
    thinking: text,
    text,
    calls: [{ name: 'update_ticket_status', input: { status: 'completed', reason } }],
  };
}

function askPerson(reason: string, seen: string): ScriptedTurn {
  const report = `Facts:\n${seen.slice(0, 2_000)}\n\nTo try:\n- Look at the service by hand.`;
  const text = 'This needs a person.';
  return {
    thinking: text,
    text,
    calls: [{ name: 'update_ticket_status', input: { status: 'blocked', reason, report } }],
  };
}

function restartsIn(calls: readonly AnsweredCall[]): readonly AnsweredCall[] {
  return calls.filter(({ name, input }) => name === 'service_control' && input['action'] === 'restart');
}
