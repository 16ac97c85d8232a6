import type { CheckResult } from './check';
import type { InvariantDefinition, Priority } from './invariant';
import type { RegisteredInvariant } from './registry';

const MAX_FAILURE_CLASS = 80;
/** A ticket's memo names no more: beyond, everything of its service counts as joined. */
export const MAX_JOINED = 16;

/** All DOWN invariants of one service are one incident; it belongs to the first that failed. */
export interface Incident {
  readonly invariantId: string;
  readonly service: string | null;
  readonly priority: Priority;
  /** When the owner's first failed check began, RFC 3339. */
  readonly detectedAt: string;
  readonly check: CheckResult;
  readonly joined: readonly CheckResult[];
}

/** An open ticket as visibility lists it. */
export interface OpenTicket {
  readonly invariantId: string;
  readonly service: string | null;
  readonly ticketId: string;
  readonly runId: string;
  readonly status: string;
  readonly joinedInvariants: readonly string[];
  /** While it is blocked: the `failureClass` it knows of its own invariant; null otherwise. */
  readonly failure: string | null;
  /** While it is blocked: how its service was left, or has been seen since; null when that is not known. */
  readonly fingerprint: string | null;
}

/**
 * What must have a ticket and has none: level-triggered, decided from states and open tickets alone. `invariants` are the
 * enabled ones with their health of now. What a person dismissed is in no incident, and still suppresses what depends on it;
 * so does, for a moment, what is not decided yet or is just coming back. Critical first, then the longest failing.
 */
export function findIncidents(
  invariants: readonly RegisteredInvariant[],
  openTickets: readonly OpenTicket[],
  at: string,
  isDismissed: (invariantId: string) => boolean = () => false,
): Incident[] {
  const down = invariants.filter(isDown).sort(byFirstFailure);
  const suppressed = findSuppressed(invariants.filter((one) => isInTrouble(one, at)));
  const findTicket = indexTickets(openTickets);
  return groupByService(down.filter(({ definition }) => !isDismissed(definition.id)))
    .filter((group) => !group.some(findTicket))
    .flatMap((group) => {
      const owner = group.find((member) => !suppressed.has(member.definition.id));
      if (!owner?.health.lastCheck) return [];
      return [toIncident(owner, owner.health.lastCheck, group)];
    })
    .sort(byUrgency);
}

/** The open ticket a DOWN invariant belongs to: its own, one it joined, else one of its service. */
export type FindTicket = (invariant: RegisteredInvariant) => OpenTicket | null;

/** Made once for all invariants: in a storm there are a thousand of each. */
export function indexTickets(openTickets: readonly OpenTicket[]): FindTicket {
  const byInvariant = firstBy(openTickets, ({ invariantId }) => [invariantId]);
  const byJoined = firstBy(openTickets, ({ joinedInvariants }) => joinedInvariants);
  const byService = firstBy(openTickets, ({ service }) => (service === null ? [] : [service]));
  return ({ definition: { id, service } }) =>
    byInvariant.get(id) ?? byJoined.get(id) ?? (service === null ? null : (byService.get(service) ?? null));
}

function firstBy(
  tickets: readonly OpenTicket[],
  keysOf: (ticket: OpenTicket) => readonly string[],
): ReadonlyMap<string, OpenTicket> {
  const found = new Map<string, OpenTicket>();
  for (const ticket of tickets) {
    for (const key of keysOf(ticket)) if (!found.has(key)) found.set(key, ticket);
  }
  return found;
}

/** Whether everything the ticket is about holds again. False when its own invariant is not among the enabled ones. */
export function isRecovered(
  ticket: OpenTicket,
  invariants: ReadonlyMap<string, RegisteredInvariant>,
): boolean {
  if (invariants.get(ticket.invariantId)?.health.state !== 'up') return false;
  if (isListFull(ticket)) {
    return [...invariants.values()].every(
      ({ definition, health }) => definition.service !== ticket.service || health.state === 'up',
    );
  }
  return ticket.joinedInvariants.every((id) => {
    const joined = invariants.get(id);
    return joined === undefined || joined.health.state === 'up';
  });
}

/** Whether a ticket knows of this invariant: its own, or one that joined. */
export function isKnownTo(ticket: OpenTicket, { id, service }: InvariantDefinition): boolean {
  if (ticket.invariantId === id || ticket.joinedInvariants.includes(id)) return true;
  return isListFull(ticket) && service !== null && service === ticket.service;
}

function isListFull({ joinedInvariants }: OpenTicket): boolean {
  return joinedInvariants.length >= MAX_JOINED;
}

/** The kind of an error: measured numbers and pids left out, so that a slow service is not new evidence at every check. */
export function errorClass(error: string | null): string {
  return (error ?? '')
    .replace(/\b(latency_ms|value|cert_days_left) -?\d+(\.\d+)?/g, '$1')
    .replace(/\b\d+(\.\d+)? (ms|s)\b/g, '$2')
    .replace(/\bpid \d+\b/g, 'pid')
    .slice(0, 200);
}

/** The kind of an error, short enough for a memo. */
export function failureClass(error: string | null): string {
  return errorClass(error).slice(0, MAX_FAILURE_CLASS);
}

/** Same signature, same evidence. */
export function evidenceSignature(check: CheckResult): string {
  return `${check.invariantId}: ${errorClass(check.error)}`;
}

function isDown({ health }: RegisteredInvariant): boolean {
  return health.state === 'down' && health.lastCheck !== null;
}

/** What is undecided has no ticket of its own, so nobody waits longer for it than two sweeps take. */
const UNDECIDED_MS = 10_000;

function isInTrouble({ health: { state, since } }: RegisteredInvariant, at: string): boolean {
  if (state !== 'suspect' && state !== 'recovering') return state === 'down';
  const forMs = Date.parse(at) - Date.parse(since);
  return forMs >= 0 && forMs <= UNDECIDED_MS;
}

function byFirstFailure(a: RegisteredInvariant, b: RegisteredInvariant): number {
  return (
    compare(a.health.failingSince ?? a.health.since, b.health.failingSince ?? b.health.since) ||
    compare(a.definition.id, b.definition.id)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** IDs below an invariant in trouble that is not suppressed itself; a circle of suppressions suppresses nobody. */
function findSuppressed(inTrouble: readonly RegisteredInvariant[]): ReadonlySet<string> {
  const ids = new Set(inTrouble.map(({ definition }) => definition.id));
  const suppressors = new Map(
    inTrouble.map(({ definition }) => [definition.id, definition.suppressedBy.filter((id) => ids.has(id))]),
  );
  const active = new Set([...suppressors].filter(([, by]) => by.length === 0).map(([id]) => id));
  const suppressed = new Set<string>();
  for (let grown = true; grown;) {
    grown = false;
    for (const [id, by] of suppressors) {
      if (suppressed.has(id) || !by.some((other) => active.has(other) || suppressed.has(other))) continue;
      suppressed.add(id);
      grown = true;
    }
  }
  return suppressed;
}

function groupByService(down: readonly RegisteredInvariant[]): RegisteredInvariant[][] {
  const groups = new Map<string, RegisteredInvariant[]>();
  for (const member of down) {
    const { id, service } = member.definition;
    const key = service === null ? `invariant/${id}` : `service/${service}`;
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  return [...groups.values()];
}

function toIncident(
  owner: RegisteredInvariant,
  check: CheckResult,
  group: readonly RegisteredInvariant[],
): Incident {
  const { id, service } = owner.definition;
  return {
    invariantId: id,
    service,
    priority: group.map(({ definition }) => definition.priority).reduce(higher),
    detectedAt: owner.health.failingSince ?? check.at,
    check,
    joined: group.flatMap((member) =>
      member === owner || !member.health.lastCheck ? [] : [member.health.lastCheck],
    ),
  };
}

const RANK: Readonly<Record<Priority, number>> = { critical: 0, high: 1, medium: 2, low: 3 };

function higher(a: Priority, b: Priority): Priority {
  return RANK[b] < RANK[a] ? b : a;
}

function byUrgency(a: Incident, b: Incident): number {
  return RANK[a.priority] - RANK[b.priority] || compare(a.detectedAt, b.detectedAt);
}
