import type { Inspection } from './inspection';
import { parseInspection } from './inspection';
import type { PortOwner } from './port-owner';
import { describeStranger } from './port-owner';
import { z } from 'zod';
import { isRecord } from './json';
import type { Json } from './json';
import type { ToolResult } from './tool';

/** A silent but living process is left alone until it has been failing this long: short stalls heal themselves. */
export const HUNG_AFTER_MS = 4_500;
/** Times of detection further away than this, or in the future, say nothing: the clock may have been set since. */
const MAX_TRUSTED_MS = 60_000;
/** A start that never became ready is not tried again; a process that was ready and broke once more is another fault. */
const MAX_FAILED_STARTS = 1;
/** … but not without end: restarts one attempt may try before a person is asked. */
const MAX_RESTARTS = 4;
/** One look waits this long for a boot, or for a supervisor that is away; it ends early when something changes. */
const LOOK_S = 5;
/** Times one attempt may look again before it stops waiting for a boot or a stall. */
const MAX_LOOKS = 8;

const runbookMemory = z.object({
  looks: z.number(),
  restarts: z.number(),
  failedStarts: z.number().default(0),
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

const FRESH: RunbookMemory = {
  looks: 0,
  restarts: 0,
  failedStarts: 0,
  silentMs: 0,
  facts: [],
  tried: [],
};

/**
 * The deterministic ladder: nothing wrong any more → propose closing; its port taken by a stranger → a person; booting → wait; dead → restart; hung → restart;
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
        ? cannotSee(input.service, memory, last)
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
  // No invariant: it was removed meanwhile, and the proof will find that nothing is left to hold.
  if (seen.invariant === null || seen.invariant.ok) return proposeDone(known);
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
  if (seen.portOwner && !seen.portOwner.ours) return askForPort(service, known, seen.portOwner);
  const isDead = seen.service.state === 'exited' || seen.service.state === 'stopped';
  if (isDead) return restartOrAsk(service, known, seen, 'The process has ended: start it again.', 'exited');
  if (seen.starting) return waitFor(service, known, seen, 'It is still booting: wait for it.');
  if (seen.answersElsewhere) return doubtCheck(service, known, seen);
  if (seen.invariant.failure !== 'no_answer') return reportWrongAnswer(service, known, seen.invariant);
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

/** Alive and answering: a restart is unlikely to help, and may break what works. */
function reportWrongAnswer(
  service: string,
  memory: RunbookMemory,
  { invariantId, error, failure }: NonNullable<Inspection['invariant']>,
): RunbookStep {
  const seen = error ?? 'the condition is false';
  if (failure === 'check_broken') {
    return askPerson(
      memory,
      `The check ${invariantId} itself cannot work: ${seen}. ${service} was left alone.`,
      [
        `Correct the query, the condition or the certificate of ${invariantId}; the ticket closes by itself when it holds.`,
      ],
    );
  }
  return askPerson(memory, `${service} is alive and answers, but not as it should: ${seen}.`, [
    'Look at its configuration and its last log lines; a restart alone is unlikely to help.',
    `If the service is right, correct the query or the condition of ${invariantId}.`,
  ]);
}

/** Another's process is never touched: what it is for, only a person knows. */
function askForPort(service: string, memory: RunbookMemory, owner: PortOwner): RunbookStep {
  const { pid, command, user, startedAt, port } = owner;
  const since = startedAt === null ? '' : `, running since ${startedAt}`;
  const known = remember(memory, {
    fact: `port ${port} is held by pid ${pid}: ${command} (user ${user}${since})`,
  });
  const why = describeStranger(owner, service);
  return askPerson(known, `${why[0]?.toUpperCase()}${why.slice(1)}.`, [
    `Look what it is: \`ps -fp ${pid}\`. The harness does not touch it.`,
    `If it is not wanted there, stop it (\`kill ${pid}\`): the harness then starts ${service} again by itself, and the ticket closes when the invariant holds.`,
    `If it is to stay, give ${service} another port in its configuration, or stop it with \`harness service stop ${service}\`.`,
  ]);
}

function restartOrAsk(
  service: string,
  memory: RunbookMemory,
  seen: Inspection,
  text: string,
  expect: Json,
): RunbookStep {
  if (memory.failedStarts >= MAX_FAILED_STARTS || memory.restarts >= MAX_RESTARTS) {
    const exit = seen.service?.exit;
    const end =
      exit && seen.service?.pid === null ? ` It ended by ${exit.signal ?? `exit code ${exit.code}`}.` : '';
    const times = memory.restarts === 1 ? 'a restart' : `${memory.restarts} restarts`;
    return askPerson(memory, `${service} is still broken after ${times}.${end}`, [
      ...seen.lastLines.slice(-5).map((line) => `its log says: ${line}`),
      'Find out what ends it; the ticket closes by itself when the invariant holds.',
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
  const failedStarts = known.failedStarts + (outcome === 'failed' ? 1 : 0);
  return look(service, { ...known, failedStarts }, 'The restart did not do it; look again.');
}

function waitFor(
  service: string,
  memory: RunbookMemory,
  seen: Inspection,
  text: string,
  seconds = LOOK_S,
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

function cannotSee(service: string, memory: RunbookMemory, result: ToolResult): RunbookStep {
  if (memory.looks < MAX_LOOKS) return look(service, memory, 'It could not be seen; look again.', LOOK_S);
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
    text === undefined || list.includes(text) ? list : [...list, oneLine(text)].slice(-8);
  return { ...memory, facts: keep(memory.facts, add.fact), tried: keep(memory.tried, add.tried) };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').slice(0, 400);
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
