import type { Inspection } from './inspection';
import type { PortOwner } from './port-owner';
import { describeStranger } from './port-owner';
import type { RunbookMemory } from './runbook-memory';
import type { ToolResult } from './tool';

/** What a person is told when the ladder stops. */
export interface Report {
  readonly reason: string;
  readonly toTry: readonly string[];
  readonly fact?: string;
}

type Failed = NonNullable<Inspection['invariant']>;

const whatItSaw = ({ error }: Failed): string => error ?? 'the condition is false';

/** Another's process is never touched: what it is for, only a person knows. */
export function stolenPort(service: string, owner: PortOwner): Report {
  const { pid, command, user, startedAt, port } = owner;
  const since = startedAt === null ? '' : `, running since ${startedAt}`;
  const why = describeStranger(owner, service);
  return {
    fact: `port ${port} is held by pid ${pid}: ${command} (user ${user}${since})`,
    reason: `${why[0]?.toUpperCase()}${why.slice(1)}.`,
    toTry: [
      `Look what it is: \`ps -fp ${pid}\`. The harness does not touch it.`,
      `If it is not wanted there, stop it (\`kill ${pid}\`): the harness then starts ${service} again by itself, and the ticket closes when the invariant holds.`,
      `If it is to stay, give ${service} another port in its configuration, or stop it with \`harness service stop ${service}\`.`,
    ],
  };
}

/** Acting on a healthy service because somebody mistyped its check would break what works. */
export function checkInDoubt(service: string, invariant: Failed): Report {
  return {
    reason: `${service} answers at its readiness URL, so the check itself looks wrong; it saw: ${whatItSaw(invariant)}. The service was not touched.`,
    toTry: [
      'Compare the query, the method and the port of the invariant with what the service really offers, and correct the invariant.',
      `If they are right, ${service} has lost a part of itself: look at its log.`,
    ],
  };
}

/** The check cannot work whatever the service does. */
export function brokenCheck(service: string, invariant: Failed): Report {
  const id = invariant.invariantId;
  return {
    reason: `The check ${id} itself cannot work: ${whatItSaw(invariant)}. ${service} was left alone.`,
    toTry: [
      `Correct the query, the condition or the certificate of ${id}; the ticket closes by itself when it holds.`,
    ],
  };
}

/** Alive and answering, but not as the rule asks. */
export function wrongAnswer(service: string, invariant: Failed): Report {
  return {
    reason: `${service} is alive and answers, but not as it should: ${whatItSaw(invariant)}.`,
    toTry: [
      'Look at its configuration and its last log lines; a restart alone is unlikely to help.',
      `If the service is right, correct the query or the condition of ${invariant.invariantId}.`,
    ],
  };
}

/** The same repair again would not last either. */
export function relapsing(service: string, count: number): Report {
  return {
    reason: `${service} was repaired and failed again within a minute, ${count} times lately; it is not repaired once more.`,
    toTry: [
      `Find out what breaks it: the tickets before this one and \`harness logs ${service}\` show the same failure.`,
      'After your repair: `harness ticket retry <id>`; the ticket closes by itself when the invariant holds.',
    ],
  };
}

/** A person paused it: hands off, and say what is left as it is. */
export function heldByPause(
  memory: RunbookMemory,
  service: string,
  refusal: ToolResult,
): [RunbookMemory, Report] {
  const reason = `${service} is paused, so nothing was done to it (${refusal.content}).`;
  const { hasEdited } = memory.restore;
  const fact = hasEdited ? { fact: 'the files this ticket restored are still in place' } : {};
  // Not even its own edits are put back meanwhile.
  const ask = { reason, toTry: [] };
  return [
    { ...memory, restore: { ...memory.restore, ask } },
    {
      reason,
      toTry: [
        `\`harness resume ${service}\` when it may be worked on again: what still fails then begins the next attempt.`,
        ...(hasEdited ? ['`harness ticket undo <id>` puts the files back as they were found.'] : []),
      ],
      ...fact,
    },
  ];
}
