import type { Colors } from 'picocolors/types';
import type { DemoFault, FaultPlan } from './demo-faults';
import { FAULT_PLANS } from './demo-faults';
import { offset } from './time';
import type { TicketDetailWire } from './wire';

/** What the demo saw of one fault. Times in milliseconds since the epoch. */
export interface Observation {
  readonly fault: DemoFault;
  readonly faultAt: number;
  /** When the ticket was first seen through the API. */
  readonly ticketSeenAt: number | null;
  /** When the service answered its health check again, by the demo's own probing. */
  readonly answersAgainAt: number | null;
  readonly ticket: TicketDetailWire | null;
  readonly tickets: number;
  /** Whether the configuration file is, byte for byte, what it was before the fault. */
  readonly isConfigAsBefore: boolean;
  readonly before: { readonly pid: number; readonly restarts: number };
  readonly after: {
    readonly pid: number | null;
    readonly restarts: number;
    readonly isSupervised: boolean;
  } | null;
}

export interface Verdict {
  readonly promise: string;
  readonly ok: boolean;
  readonly found: string;
}

export interface Measurement {
  readonly what: string;
  /** Seconds after the fault; null: it did not happen. */
  readonly seconds: number | null;
  /** The documented promise: median and worst of twenty on the reference machine; null where none is given. */
  readonly promised: { readonly median: number | null; readonly worst: number } | null;
}

export interface Moment {
  readonly at: string;
  readonly title: string;
  readonly ok: boolean | null;
}

const CEILING_S = { ticket: 10, closed: 60 };
/** A model takes its time to think, so only limits are promised, and for closing only after a kill. */
const WITH_CLAUDE_S = { ticket: 10, closedAfterKill: 50 };

const since = (fault: number, moment: number | null): number | null =>
  moment === null || Number.isNaN(moment) ? null : (moment - fault) / 1_000;
const parse = (at: string | null | undefined): number | null => (at == null ? null : Date.parse(at));

/** Everything in the order of time: what the demo did and saw, and what the ticket tells. */
export function storyOf(seen: Observation): Moment[] {
  const own = (ms: number | null, title: string, ok: boolean | null): Moment[] =>
    ms === null ? [] : [{ at: new Date(ms).toISOString(), title, ok }];
  const told = seen.ticket?.timeline ?? [];
  return [
    ...own(seen.faultAt, `fault: pid ${seen.before.pid} ${FAULT_PLANS[seen.fault].did}`, false),
    ...own(seen.ticketSeenAt, 'the ticket is in the API', null),
    ...own(seen.answersAgainAt, 'the service answers again', true),
    ...told.map(({ at, title, ok }) => ({ at, title, ok })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What happened, beside what the documentation promises for this fault. */
export function measurementsOf(seen: Observation): Measurement[] {
  const { ticket, answers, closed } = promisedFor(seen);
  return [
    {
      what: 'ticket opened',
      seconds: since(seen.faultAt, parse(seen.ticket?.created_at)),
      promised: ticket,
    },
    {
      what: 'service answers again',
      seconds: since(seen.faultAt, seen.answersAgainAt),
      promised: answers,
    },
    {
      what: 'closed, verified',
      seconds: since(seen.faultAt, parse(seen.ticket?.closed_at)),
      promised: closed,
    },
  ];
}

function promisedFor({ fault, ticket }: Observation): {
  readonly [what in 'ticket' | 'answers' | 'closed']: Measurement['promised'];
} {
  if (ticket?.brain !== 'claude') return FAULT_PLANS[fault].promised;
  const limit = (worst: number) => ({ median: null, worst });
  return {
    ticket: limit(WITH_CLAUDE_S.ticket),
    answers: null,
    closed: fault === 'kill' ? limit(WITH_CLAUDE_S.closedAfterKill) : null,
  };
}

/** The promises that must hold on any machine. */
export function verdictsOf(seen: Observation): Verdict[] {
  const { ticket, before, after } = seen;
  const plan = FAULT_PLANS[seen.fault];
  const ticketAfter = since(seen.faultAt, seen.ticketSeenAt);
  const closedAfter = since(seen.faultAt, parse(ticket?.closed_at));
  const within = (seconds: number | null, ceiling: number) => seconds !== null && seconds <= ceiling;
  const seconds = (value: number | null) => (value === null ? 'never' : `${value.toFixed(2)} s`);
  const starts = after === null ? null : after.restarts - before.restarts;
  return [
    {
      promise: `a ticket within ${CEILING_S.ticket} s`,
      ok: within(ticketAfter, CEILING_S.ticket),
      found: seconds(ticketAfter),
    },
    {
      promise: `closed within ${CEILING_S.closed} s`,
      ok: within(closedAfter, CEILING_S.closed),
      found: seconds(closedAfter),
    },
    {
      promise: 'closed as completed / fixed',
      ok: ticket?.status === 'completed' && ticket.resolution === 'fixed',
      found: ticket === null ? 'no ticket' : `${ticket.status} / ${ticket.resolution ?? '-'}`,
    },
    { promise: 'exactly one ticket', ok: seen.tickets === 1, found: String(seen.tickets) },
    {
      promise: plan.starts === 1 ? 'exactly one more start of the service' : 'no start of the service',
      ok: starts === plan.starts,
      found: starts === null ? 'unknown' : String(starts),
    },
    processVerdict(seen, plan),
    ...(plan.config === null ? [] : [configVerdict(seen)]),
  ];
}

function processVerdict({ before, after }: Observation, { starts }: FaultPlan): Verdict {
  const isNew = after !== null && after.pid !== null && after.pid !== before.pid;
  const isSame = after !== null && after.pid === before.pid;
  return {
    promise: starts === 1 ? 'the new process is supervised' : 'the same process is supervised',
    ok: after !== null && after.isSupervised && (starts === 1 ? isNew : isSame),
    found: after === null ? 'unknown' : `pid ${before.pid} → ${after.pid ?? 'none'}`,
  };
}

function configVerdict({ isConfigAsBefore }: Observation): Verdict {
  return {
    promise: 'its configuration is restored, byte for byte',
    ok: isConfigAsBefore,
    found: isConfigAsBefore ? 'equal' : 'different',
  };
}

export function renderStory(story: readonly Moment[], faultAt: number, colors: Colors): string {
  const start = new Date(faultAt).toISOString();
  return story
    .map(({ at, title, ok }) => {
      const mark = ok === null ? ' ' : ok ? colors.green('✓') : colors.red('✗');
      return `${colors.dim(offset(at, start))} ${mark} ${title}\n`;
    })
    .join('');
}

export function renderMeasurements(measurements: readonly Measurement[]): string {
  return measurements
    .map(({ what, seconds, promised }) => {
      const measured = seconds === null ? '    never' : `${seconds.toFixed(2)} s`.padStart(9);
      return `${what.padEnd(24)}${measured}${promise(promised)}\n`;
    })
    .join('');
}

function promise(promised: Measurement['promised']): string {
  if (promised === null) return '';
  const { median, worst } = promised;
  return median === null
    ? `   promised: at most ${worst} s`
    : `   promised: ${median} s median, ${worst} s worst of 20`;
}

export function renderVerdicts(verdicts: readonly Verdict[], colors: Colors): string {
  return verdicts
    .map(({ promise, ok, found }) => {
      const mark = ok ? colors.green('✓ kept  ') : colors.red('✗ BROKEN');
      return `${mark}  ${promise} (${found})\n`;
    })
    .join('');
}
