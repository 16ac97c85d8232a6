import type { Colors } from 'picocolors/types';
import { offset } from './time';
import type { TicketDetailWire } from './wire';

/** What the demo saw of one fault. Times in milliseconds since the epoch. */
export interface Observation {
  readonly faultAt: number;
  /** When the ticket was first seen through the API. */
  readonly ticketSeenAt: number | null;
  /** When the service answered its health check again, by the demo's own probing. */
  readonly answersAgainAt: number | null;
  readonly ticket: TicketDetailWire | null;
  readonly tickets: number;
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
  /** The documented promise: median and worst of twenty on the reference machine. */
  readonly promised: { readonly median: number; readonly worst: number };
}

export interface Moment {
  readonly at: string;
  readonly title: string;
  readonly ok: boolean | null;
}

const CEILING_S = { ticket: 10, closed: 60 };

const since = (fault: number, moment: number | null): number | null =>
  moment === null || Number.isNaN(moment) ? null : (moment - fault) / 1_000;
const parse = (at: string | null | undefined): number | null => (at == null ? null : Date.parse(at));

/** Everything in the order of time: what the demo did and saw, and what the ticket tells. */
export function storyOf(seen: Observation): Moment[] {
  const own = (ms: number | null, title: string, ok: boolean | null): Moment[] =>
    ms === null ? [] : [{ at: new Date(ms).toISOString(), title, ok }];
  const told = seen.ticket?.timeline ?? [];
  return [
    ...own(seen.faultAt, `fault: pid ${seen.before.pid} killed (SIGKILL)`, false),
    ...own(seen.ticketSeenAt, 'the ticket is in the API', null),
    ...own(seen.answersAgainAt, 'the service answers again', true),
    ...told.map(({ at, title, ok }) => ({ at, title, ok })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** What happened, beside what the documentation promises for a killed process. */
export function measurementsOf(seen: Observation): Measurement[] {
  return [
    {
      what: 'ticket opened',
      seconds: since(seen.faultAt, parse(seen.ticket?.created_at)),
      promised: { median: 0.4, worst: 1.2 },
    },
    {
      what: 'service answers again',
      seconds: since(seen.faultAt, seen.answersAgainAt),
      promised: { median: 0.8, worst: 2 },
    },
    {
      what: 'closed, verified',
      seconds: since(seen.faultAt, parse(seen.ticket?.closed_at)),
      promised: { median: 2.2, worst: 4 },
    },
  ];
}

/** The promises that must hold on any machine. */
export function verdictsOf(seen: Observation): Verdict[] {
  const { ticket, before, after } = seen;
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
      promise: 'exactly one more start of the service',
      ok: starts === 1,
      found: starts === null ? 'unknown' : String(starts),
    },
    {
      promise: 'the new process is supervised',
      ok: after !== null && after.isSupervised && after.pid !== null && after.pid !== before.pid,
      found: after === null ? 'unknown' : `pid ${before.pid} → ${after.pid ?? 'none'}`,
    },
  ];
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
      return `${what.padEnd(24)}${measured}   promised: ${promised.median} s median, ${promised.worst} s worst of 20\n`;
    })
    .join('');
}

export function renderVerdicts(verdicts: readonly Verdict[], colors: Colors): string {
  return verdicts
    .map(({ promise, ok, found }) => {
      const mark = ok ? colors.green('✓ kept  ') : colors.red('✗ BROKEN');
      return `${mark}  ${promise} (${found})\n`;
    })
    .join('');
}
