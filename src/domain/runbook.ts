import type { Inspection } from './inspection';
import { parseInspection } from './inspection';
import { z } from 'zod';
import { isRecord } from './json';
import type { Json } from './json';
import type { ToolResult } from './tool';

/** A silent but living process is left alone until it has been failing this long: short stalls heal themselves. */
export const HUNG_AFTER_MS = 4_500;
/** Times of detection further away than this, or in the future, say nothing: the clock may have been set since. */
const MAX_TRUSTED_MS = 60_000;
/** Restarts one attempt may try before a person is asked. */
const MAX_RESTARTS = 1;
/** One look waits this long for a boot; it ends early when something changes. */
const BOOT_LOOK_S = 5;
/** Times one attempt may look again before it stops waiting for a boot or a stall. */
const MAX_LOOKS = 8;

const runbookMemory = z.object({
  looks: z.number(),
  restarts: z.number(),
  /** How long it has been watched being silent, by looks that waited. */
  silentMs: z.number().default(0),
  facts: z.array(z.string()),
  tried: z.array(z.string()),
});

/** What the ladder remembers from turn to turn; travels through the ticket's history. */
export type RunbookMemory = Readonly<z.infer<typeof runbookMemory>>;

/** Null when there is no memory yet, or it is not the runbook's. */
export function parseRunbookMemory(memory: Json): RunbookMemory | null {
  return runbookMemory.safeParse(memory).data ?? null;
}

export interface RunbookInput {
  readonly service: string | null;
  readonly detectedAt: string;
  readonly now: string;
  readonly results: readonly ToolResult[];
  readonly memory: RunbookMemory | null;
}

export interface RunbookStep {
  readonly text: string;
  readonly tool: 'inspect_service' | 'service_control' | 'update_ticket_status';
  readonly input: { readonly [key: string]: Json };
  readonly memory: RunbookMemory;
}

const FRESH: RunbookMemory = { looks: 0, restarts: 0, silentMs: 0, facts: [], tried: [] };

/**
 * The deterministic ladder: nothing wrong any more → propose closing; booting → wait; dead → restart; hung → restart;
 * anything else, or not fixed by that → a person, with a report. Reads only its input.
 */
export function nextRunbookStep(input: RunbookInput): RunbookStep {
  const memory = input.memory ?? FRESH;
  if (input.service === null) {
    return askPerson(
      memory,
      'No service belongs to this invariant, so there is nothing the harness may act on.',
      [
        'Give the invariant a `service` in harness.yaml, or repair the target by hand; the ticket closes by itself when the invariant holds.',
      ],
    );
  }
  const last = input.results.at(-1);
  if (!last) return look(input.service, memory, 'See whether it is still wrong, and what the process does.');
  switch (last.tool) {
    case 'inspect_service':
      return last.isError
        ? cannotSee(memory, last)
        : judge(input, input.service, memory, parseInspection(last.data));
    case 'service_control':
      return afterControl(input.service, memory, last);
    case 'update_ticket_status':
      return look(input.service, remember(memory, { fact: last.content }), 'The proof failed; look again.');
    default:
      return look(input.service, remember(memory, { fact: last.content }), 'Look again.');
  }
}

function judge(
  input: RunbookInput,
  service: string,
  memory: RunbookMemory,
  seen: Inspection | null,
): RunbookStep {
  if (!seen)
    return askPerson(memory, `The inspection of ${service} could not be read.`, [
      'Look at the service by hand.',
    ]);
  const known = remember(memory, { fact: describe(seen) });
  if (seen.invariant?.ok) return proposeDone(known);
  if (!seen.service || !seen.controllable) {
    return askPerson(known, `The harness does not run ${service}, so it cannot restart it.`, [
      `Start ${service} by hand.`,
    ]);
  }
  if (seen.service.desired === 'stopped') {
    return askPerson(known, `${service} was stopped by a person.`, [
      `\`harness service start ${service}\` when it is wanted again.`,
    ]);
  }
  const isDead = seen.service.state === 'exited' || seen.service.state === 'stopped';
  if (isDead) return restartOrAsk(service, known, seen, 'The process has ended: start it again.', 'exited');
  if (seen.starting) return waitFor(service, known, seen, 'It is still booting: wait for it.');
  if (seen.answersElsewhere) return doubtCheck(service, known, seen);
  if (!isSilent(seen.invariant)) {
    return askPerson(
      known,
      `${service} is alive and answers, but not as it should: ${seen.invariant?.error ?? 'unknown'}.`,
      ['Look at its configuration and its last log lines; a restart alone is unlikely to help.'],
    );
  }
  const silentMs = Math.max(known.silentMs, failingMs(input));
  if (silentMs < HUNG_AFTER_MS) {
    const waited = { ...known, silentMs: HUNG_AFTER_MS };
    const seconds = (HUNG_AFTER_MS - silentMs) / 1_000;
    return waitFor(service, waited, seen, 'It is silent but alive: give a stall the time to heal.', seconds);
  }
  const text =
    seen.process?.state === 'T'
      ? 'The process is stopped, and has been for too long: restart it.'
      : 'Alive, but silent for too long: restart it.';
  return restartOrAsk(service, known, seen, text, identity(seen.service));
}

/** Two clocks were read at two times: what they cannot both be right about counts as nothing, and is waited for instead. */
function failingMs({ now, detectedAt }: RunbookInput): number {
  const ms = Date.parse(now) - Date.parse(detectedAt);
  return ms >= 0 && ms <= MAX_TRUSTED_MS ? ms : 0;
}

/** Acting on a healthy service because somebody mistyped its check would break what works. */
function doubtCheck(service: string, memory: RunbookMemory, seen: Inspection): RunbookStep {
  const saw = seen.invariant?.error ?? 'a failure';
  return askPerson(
    memory,
    `${service} answers at its readiness URL, so the check itself looks wrong; it saw: ${saw}. The service was not touched.`,
    [
      'Compare the query, the method and the port of the invariant with what the service really offers, and correct the invariant.',
      `If they are right, ${service} has lost a part of itself: look at its log.`,
    ],
  );
}

function restartOrAsk(
  service: string,
  memory: RunbookMemory,
  seen: Inspection,
  text: string,
  expect: Json,
): RunbookStep {
  if (memory.restarts >= MAX_RESTARTS) {
    return askPerson(memory, `${service} is still broken after a restart.`, [
      ...seen.lastLines.slice(-5).map((line) => `its log says: ${line}`),
      'Repair what the log names; the ticket closes by itself when the invariant holds.',
    ]);
  }
  return {
    text,
    tool: 'service_control',
    input: { service, action: 'restart', expect },
    memory: { ...remember(memory, { tried: `restart of ${service}` }), restarts: memory.restarts + 1 },
  };
}

function afterControl(service: string, memory: RunbookMemory, result: ToolResult): RunbookStep {
  const known = remember(memory, { fact: result.content });
  const outcome = field(result.data, 'outcome');
  if (!result.isError && (outcome === 'performed' || outcome === 'noop')) return proposeDone(known);
  return look(service, known, 'The restart did not do it; look again.');
}

function waitFor(
  service: string,
  memory: RunbookMemory,
  seen: Inspection,
  text: string,
  seconds = BOOT_LOOK_S,
): RunbookStep {
  if (memory.looks >= MAX_LOOKS)
    return restartOrAsk(service, memory, seen, 'It has been waited for long enough.', identity(seen.service));
  return look(service, memory, text, seconds);
}

function look(service: string, memory: RunbookMemory, text: string, waitSeconds = 0): RunbookStep {
  if (memory.looks > MAX_LOOKS)
    return askPerson(memory, `${service} did not come back.`, ['Look at the service by hand.']);
  return {
    text,
    tool: 'inspect_service',
    input: waitSeconds > 0 ? { service, wait_s: waitSeconds } : { service },
    memory: { ...memory, looks: memory.looks + 1 },
  };
}

function proposeDone(memory: RunbookMemory): RunbookStep {
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

function cannotSee(memory: RunbookMemory, result: ToolResult): RunbookStep {
  return askPerson(memory, result.content, ['Check that `harness run` is alive on this machine.']);
}

function askPerson(memory: RunbookMemory, reason: string, toTry: readonly string[]): RunbookStep {
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

function remember(
  memory: RunbookMemory,
  add: { readonly fact?: string; readonly tried?: string },
): RunbookMemory {
  const keep = (list: string[], text: string | undefined) =>
    text === undefined || list.includes(text) ? list : [...list, text.slice(0, 400)].slice(-8);
  return { ...memory, facts: keep(memory.facts, add.fact), tried: keep(memory.tried, add.tried) };
}

/** No HTTP answer at all, as opposed to a wrong one. */
function isSilent(check: Inspection['invariant']): boolean {
  return check === null || check.resolved['status'] === undefined || check.resolved['status'] === 0;
}

function identity(service: Inspection['service']): Json {
  return service?.pid != null && service.startedAt !== null
    ? { pid: service.pid, started_at: service.startedAt }
    : 'exited';
}

function describe(seen: Inspection): string {
  const service = seen.service;
  const state = service
    ? `${service.state}${service.pid === null ? '' : ` (pid ${service.pid}, state ${seen.process?.state ?? '?'})`}`
    : 'not run by the harness';
  const exit =
    service?.exit && service.pid === null
      ? `, ended by ${service.exit.signal ?? `exit code ${service.exit.code}`}`
      : '';
  return `process ${state}${exit}; check: ${seen.invariant ? (seen.invariant.ok ? 'holds' : (seen.invariant.error ?? 'fails')) : 'not probed'}`;
}

function field(data: Json, name: string): Json {
  return isRecord(data) ? (data[name] ?? null) : null;
}
