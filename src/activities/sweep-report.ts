import { dismissalOf } from '../domain/dismissal';
import { evidenceSignature, findIncidents, indexTickets, isRecovered } from '../domain/incident';
import type { OpenTicket } from '../domain/incident';
import { pauseOf } from '../domain/pause';
import type { RegisteredInvariant, RegistryState } from '../domain/registry';
import { withoutEndedFailure } from '../domain/registry';
import { isNews, ticketToTell } from '../domain/sweep';
import type { Observed } from '../domain/sweep';
import type { SweepInput, SweepReport } from '../workflows/contract';
import { ticketWorkflowId } from '../workflows/contract';
import type { ServiceChanges } from './service-changes';

/** A report must stay below Temporal's 2 MB; the rest is still news in the next sweep. */
const MAX_TRANSITIONS = 1_500;

interface Seen {
  readonly at: string;
  readonly input: SweepInput;
  readonly watched: readonly RegisteredInvariant[];
  readonly observed: readonly Observed[];
  readonly openTickets: readonly OpenTicket[];
  readonly changes: ServiceChanges;
  /** What people have said by now. */
  readonly word: RegistryState;
}

/** What a sweep has to tell of what it saw: the registry, the triage and the open tickets. */
export function sweepReport(seen: Seen): SweepReport {
  const { at, input, watched, observed, openTickets, changes } = seen;
  const { pauses, dismissed } = seen.word;
  const isDismissed = (id: string): boolean => dismissalOf(dismissed, id, at) !== null;
  const watchedIds = new Set(watched.map(({ definition }) => definition.id));
  const relevant = observed
    .filter(({ before }) => watchedIds.has(before.definition.id))
    .map((one) => ({ ...one, health: asOfNow(one, seen.word) }));
  const fresh = new Map(relevant.map((one) => [one.before.definition.id, one]));
  const current = watched.map((invariant) => {
    const seen = fresh.get(invariant.definition.id);
    return seen ? { ...invariant, health: seen.health } : invariant;
  });
  const currentById = new Map(current.map((invariant) => [invariant.definition.id, invariant]));
  const findTicket = indexTickets(openTickets);
  return {
    at,
    checked: observed.length,
    transitions: relevant
      .filter((one) => isNews(one.before.health, one.health))
      .sort((a, b) => Number(a.health.state === 'up') - Number(b.health.state === 'up'))
      .slice(0, MAX_TRANSITIONS)
      .map(({ before, health }) => ({
        invariantId: before.definition.id,
        revision: before.revision,
        health,
      })),
    // A state that this sweep has not seen for itself opens no ticket and closes none.
    incidents: findIncidents(
      current.filter(({ definition }) => !pauseOf(pauses, definition, at)),
      openTickets,
      at,
      isDismissed,
    ).filter((incident) =>
      [incident.check, ...incident.joined].some(({ invariantId }) => fresh.has(invariantId)),
    ),
    evidence: relevant.flatMap((one) => {
      const ticket = ticketToTell(one, findTicket, (ticketId) => changes.fingerprints.has(ticketId));
      if (!ticket || isDismissed(one.check.invariantId)) return [];
      // It would begin an attempt in the middle of somebody's work.
      if (changes.unsettled.has(ticket.ticketId) && isOwn(ticket, one)) return [];
      const fingerprint = changes.fingerprints.get(ticket.ticketId);
      const evidence = {
        signature: evidenceSignature(one.check),
        check: one.check,
        ...(fingerprint !== undefined && { fingerprint }),
      };
      return [{ workflowId: ticketWorkflowId(ticket.invariantId), evidence }];
    }),
    recovered: openTickets.flatMap((ticket) => {
      const own = fresh.get(ticket.invariantId);
      if (!own || !isRecovered(ticket, currentById)) return [];
      const workflowId = ticketWorkflowId(ticket.invariantId);
      return [{ workflowId, runId: ticket.runId, hint: { check: own.check } }];
    }),
    checks: input.includeChecks ? observed.map(({ check }) => check) : [],
  };
}

/** What was proven to hold while this sweep was under way is not the failure any more from which the sweep counts on. */
function asOfNow({ before, health }: Observed, { invariants }: RegistryState): Observed['health'] {
  const { id } = before.definition;
  const known = Object.hasOwn(invariants, id) ? invariants[id] : undefined;
  const hasChanged = known?.health.lastCheck?.at !== before.health.lastCheck?.at;
  return known?.revision === before.revision && hasChanged ? withoutEndedFailure(known, health) : health;
}

function isOwn(ticket: OpenTicket, { check }: Observed): boolean {
  return ticket.invariantId === check.invariantId;
}
