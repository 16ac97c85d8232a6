import type { Inspection } from './inspection';
import { parseInspection } from './inspection';
import { describeInspection, identityOf } from './inspection-facts';
import { isRecord } from './json';
import type { Json } from './json';
import { PAUSED_RULE } from './pause';
import { FRESH_MEMORY, remember } from './runbook-memory';
import type { RunbookMemory } from './runbook-memory';
import { beginRestore, continueRestore, RELOAD_S } from './runbook-restore';
import type { RestoreMove } from './runbook-restore';
import {
  brokenCheck,
  checkInDoubt,
  heldByPause,
  relapsing,
  stolenPort,
  wrongAnswer,
} from './runbook-reports';
import { askPerson, look, MAX_LOOKS, proposeDone, report, restart } from './runbook-steps';
import type { RunbookStep } from './runbook-steps';
import type { AttemptCause } from './ticket';
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
/** A repair that has relapsed as often as it may is tried once more, after so long. */
const BACKOFF_S = 30;

export interface RunbookInput {
  readonly service: string | null;
  readonly detectedAt: string;
  readonly now: string;
  readonly begunBy: AttemptCause;
  /** Repairs of the service that did not last, this failure's included, and how many may be followed by another at once. */
  readonly relapses: { readonly count: number; readonly limit: number };
  readonly results: readonly ToolResult[];
  readonly memory: RunbookMemory | null;
}

/**
 * The deterministic ladder: nothing wrong any more → propose closing; its port taken by a stranger → a person; dead → restart;
 * booting → wait; only the check fails → a person; hung → restart; before any restart, files changed since it last worked →
 * restore them; anything else, or not fixed by that → undo the edits and ask a person, with a report. What relapses again and
 * again is repaired once more after a while, then a person is asked. Reads only its input.
 */
export function nextRunbookStep(input: RunbookInput): RunbookStep {
  const memory = input.memory ?? freshMemory(input.begunBy);
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
  if (field(last.data, 'rule') === PAUSED_RULE) return report(...heldByPause(memory, input.service, last));
  switch (last.tool) {
    case 'inspect_service':
      return last.isError
        ? cannotSee(input.service, memory, last)
        : judge(input, input.service, memory, parseInspection(last.data));
    case 'service_control':
      return afterControl(input.service, memory, last);
    case 'what_changed':
    case 'restore_file': {
      const known = remember(memory, { fact: last.content });
      return takeMove(input.service, known, continueRestore(memory.restore, last));
    }
    case 'undo_edits':
      return afterUndo(memory, last);
    case 'update_ticket_status':
      if (memory.restore.hasEdited) {
        return askPerson(remember(memory, { fact: last.content }), 'The restored files did not repair it.', [
          'Repair what still fails; the ticket closes by itself when the invariant holds.',
        ]);
      }
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
  const known = remember(memory, { fact: describeInspection(seen) });
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
  if (seen.portOwner && !seen.portOwner.ours) return report(known, stolenPort(service, seen.portOwner));
  const move = beginRestore(service, known.restore, seen);
  const restore = move && takeMove(service, known, move);
  const held = holdRelapse(input, service, known);
  const isDead = seen.service.state === 'exited' || seen.service.state === 'stopped';
  if (isDead)
    return (
      held ??
      restore ??
      restartOrAsk(service, known, seen, 'The process has ended: start it again.', 'exited')
    );
  if (seen.starting) return waitFor(service, known, seen, 'It is still booting: wait for it.');
  if (seen.answersElsewhere) return report(known, checkInDoubt(service, seen.invariant));
  if (seen.invariant.failure === 'check_broken') return report(known, brokenCheck(service, seen.invariant));
  if (seen.invariant.failure !== 'no_answer')
    return (
      held ??
      restore ??
      afterWrongAnswer(input.begunBy, service, known, { ...seen, invariant: seen.invariant })
    );
  const silentMs = Math.max(known.silentMs, failingMs(input));
  if (silentMs < HUNG_AFTER_MS) {
    const waited = { ...known, silentMs: HUNG_AFTER_MS };
    const seconds = (HUNG_AFTER_MS - silentMs) / 1_000;
    return waitFor(service, waited, seen, 'It is silent but alive: give a stall the time to heal.', seconds);
  }
  if (held) return held;
  const isStopped = seen.process?.state === 'T';
  if (restore && !isStopped) return restore;
  const text = isStopped
    ? 'The process is stopped, and has been for too long: restart it.'
    : 'Alive, but silent for too long: restart it.';
  return restartOrAsk(service, known, seen, text, identityOf(seen.service));
}

/** Files that somebody has just changed, or says are right, are tried as they are. */
function freshMemory(begunBy: AttemptCause): RunbookMemory {
  const isPersonAtWork = begunBy === 'person' || begunBy === 'changed_files' || begunBy === 'changed_process';
  return isPersonAtWork
    ? { ...FRESH_MEMORY, restore: { ...FRESH_MEMORY.restore, hasBegun: true } }
    : FRESH_MEMORY;
}

/** Attempts that have waited, or that a person is behind, are not held. */
function holdRelapse(
  { begunBy, relapses }: RunbookInput,
  service: string,
  memory: RunbookMemory,
): RunbookStep | null {
  const isAwaited = begunBy === 'time' || begunBy === 'person' || begunBy === 'changed_files';
  if (isAwaited || relapses.count < relapses.limit) return null;
  if (relapses.count > relapses.limit) return report(memory, relapsing(service, relapses.count));
  if (memory.hasBackedOff) return null;
  const text = `It was repaired ${relapses.count} times and failed again soon: wait before the next repair.`;
  return look(service, { ...memory, hasBackedOff: true }, text, BACKOFF_S);
}

/** Two clocks were read at two times: what they cannot both be right about counts as nothing, and is waited for instead. */
function failingMs({ now, detectedAt }: RunbookInput): number {
  const ms = Date.parse(now) - Date.parse(detectedAt);
  return ms >= 0 && ms <= MAX_TRUSTED_MS ? ms : 0;
}

/** Alive and answering: without changed files to take up, a restart is unlikely to help and may break what works. */
function afterWrongAnswer(
  begunBy: AttemptCause,
  service: string,
  memory: RunbookMemory,
  seen: Inspection & { readonly invariant: NonNullable<Inspection['invariant']> },
): RunbookStep {
  if (begunBy === 'changed_files' && memory.looks < 2) {
    return look(service, memory, 'Its files were changed: give it a moment to take them up.', RELOAD_S);
  }
  if (memory.restore.hasEdited || (begunBy === 'changed_files' && memory.restarts === 0)) {
    const text = 'The changed files are not in force yet: restart it.';
    return restartOrAsk(service, memory, seen, text, identityOf(seen.service));
  }
  const found = wrongAnswer(service, seen.invariant);
  return report(memory, { ...found, reason: memory.restore.refused ?? found.reason });
}

function takeMove(service: string, memory: RunbookMemory, move: RestoreMove): RunbookStep {
  const known = { ...memory, restore: move.memory };
  switch (move.kind) {
    case 'call': {
      const { text, tool, input, tried } = move;
      return { text, tool, input, memory: tried === undefined ? known : remember(known, { tried }) };
    }
    case 'restart':
      return restart(service, known, 'Start it with the restored files.', 'exited');
    case 'look':
      return look(service, known, 'See what it makes of the files.', move.waitSeconds);
  }
}

function afterUndo(memory: RunbookMemory, result: ToolResult): RunbookStep {
  const known = remember(memory, { fact: `edits undone: ${result.content}` });
  const { ask } = memory.restore;
  const restore = { ...memory.restore, hasEdited: false, ask: null };
  return askPerson({ ...known, restore }, ask?.reason ?? 'The edits were undone.', ask?.toTry ?? []);
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
  return restart(service, memory, text, expect);
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
    return restartOrAsk(
      service,
      memory,
      seen,
      'It has been waited for long enough.',
      identityOf(seen.service),
    );
  return look(service, memory, text, seconds);
}

function cannotSee(service: string, memory: RunbookMemory, result: ToolResult): RunbookStep {
  if (memory.looks < MAX_LOOKS) return look(service, memory, 'It could not be seen; look again.', LOOK_S);
  return askPerson(memory, result.content, ['Check that `harness run` is alive on this machine.']);
}

function field(data: Json, name: string): Json {
  return isRecord(data) ? (data[name] ?? null) : null;
}
