import type { Json } from './json';
import { remember } from './runbook-memory';
import type { RunbookMemory } from './runbook-memory';
import type { Report } from './runbook-reports';

/** Times one attempt may look again before it stops waiting for a boot or a stall. */
export const MAX_LOOKS = 8;

/** What the ladder wants next, and what it is to remember of it. */
export interface RunbookStep {
  readonly text: string;
  readonly tool:
    | 'inspect_service'
    | 'what_changed'
    | 'restore_file'
    | 'undo_edits'
    | 'service_control'
    | 'update_ticket_status';
  readonly input: { readonly [key: string]: Json };
  readonly memory: RunbookMemory;
}

export function look(service: string, memory: RunbookMemory, text: string, waitSeconds = 0): RunbookStep {
  if (memory.looks > MAX_LOOKS)
    return askPerson(memory, `${service} did not come back.`, ['Look at the service by hand.']);
  return {
    text,
    tool: 'inspect_service',
    input: waitSeconds > 0 ? { service, wait_s: waitSeconds } : { service },
    memory: { ...memory, looks: memory.looks + 1 },
  };
}

export function restart(service: string, memory: RunbookMemory, text: string, expect: Json): RunbookStep {
  return {
    text,
    tool: 'service_control',
    input: { service, action: 'restart', expect },
    memory: { ...remember(memory, { tried: `restart of ${service}` }), restarts: memory.restarts + 1 },
  };
}

export function proposeDone(memory: RunbookMemory): RunbookStep {
  const acted = memory.tried.length > 0;
  return {
    text: acted ? 'It answers again: ask for the proof.' : 'Nothing is wrong any more: ask for the proof.',
    tool: 'update_ticket_status',
    input: {
      status: 'completed',
      reason: acted
        ? `After ${memory.tried.join(', ')} the invariant holds.`
        : 'The invariant holds again without any action.',
    },
    memory,
  };
}

export function report(memory: RunbookMemory, { reason, toTry, fact }: Report): RunbookStep {
  return askPerson(fact === undefined ? memory : remember(memory, { fact }), reason, toTry);
}

/** A repair that did not repair anything is taken back first. */
export function askPerson(memory: RunbookMemory, reason: string, toTry: readonly string[]): RunbookStep {
  if (memory.restore.hasEdited && memory.restore.ask === null) {
    const restore = { ...memory.restore, ask: { reason, toTry: [...toTry] } };
    return {
      text: 'The restored files did not help: put them back as found.',
      tool: 'undo_edits',
      input: {},
      memory: { ...memory, restore },
    };
  }
  const section = (title: string, lines: readonly string[]) =>
    `${title}:\n${lines.length > 0 ? lines.map((line) => `- ${line}`).join('\n') : '- nothing'}`;
  return {
    text: 'This needs a person.',
    tool: 'update_ticket_status',
    input: {
      status: 'blocked',
      reason,
      report: [section('Facts', memory.facts), section('Tried', memory.tried), section('To try', toTry)].join(
        '\n\n',
      ),
    },
    memory,
  };
}
