import type { CheckResult } from './check';
import { errorClass, failureClass, isKnownTo } from './incident';
import type { FindTicket, OpenTicket } from './incident';
import type { InvariantHealth } from './health';
import type { InvariantDefinition } from './invariant';
import type { RegisteredInvariant } from './registry';
import type { ServiceStatus } from './service-state';

/** One invariant as a sweep left it. */
export interface Observed {
  /** As the registry had it when the sweep began. */
  readonly before: RegisteredInvariant;
  readonly health: InvariantHealth;
  readonly check: CheckResult;
}

/** Quick second looks at a failure must not take longer than this each. */
const CONFIRM_TIMEOUT_MS = 700;

/**
 * When to look again within the sweep, after a look that took so long; null when the state is decided. Milliseconds. Spacing
 * is from start to start: what was silent for two seconds needs no further pause.
 */
export function secondLook(
  health: InvariantHealth,
  definition: InvariantDefinition,
  tookMs: number,
): { readonly afterMs: number; readonly timeoutMs: number } | null {
  switch (health.state) {
    case 'suspect':
      return {
        afterMs: Math.max(0, definition.confirm.spacingMs - tookMs),
        timeoutMs: Math.min(definition.timeoutMs, CONFIRM_TIMEOUT_MS),
      };
    case 'recovering':
      // With the short limit a service that needs a second for its answer could never be seen to recover.
      return {
        afterMs: Math.max(0, definition.recover.spacingMs - tookMs),
        timeoutMs: definition.timeoutMs,
      };
    case 'unknown':
    case 'up':
    case 'down':
      return null;
  }
}

/** Whether the registry must hear of it: another state, another count of an undecided one, another kind of error. */
export function isNews(before: InvariantHealth, after: InvariantHealth): boolean {
  if (after === before) return false;
  if (after.state !== before.state) return true;
  switch (after.state) {
    case 'unknown':
    case 'up':
      return false;
    case 'suspect':
    case 'recovering':
      return after.failures !== before.failures || after.successes !== before.successes;
    case 'down':
      return isOtherError(before, after.lastCheck);
  }
}

/**
 * The open ticket that must hear of a DOWN invariant: it has not joined yet, fails anew, fails in another way, or its
 * service is not as the ticket left it.
 */
export function ticketToTell(
  observed: Observed,
  findTicket: FindTicket,
  isServiceChanged: (ticketId: string) => boolean = () => false,
): OpenTicket | null {
  if (observed.health.state !== 'down') return null;
  const ticket = findTicket(observed.before);
  if (!ticket) return null;
  const { id } = observed.before.definition;
  const isKnown = isKnownTo(ticket, observed.before.definition);
  const before = observed.before.health;
  const isNewToTicket =
    !isKnown ||
    before.state !== 'down' ||
    isOtherError(before, observed.check) ||
    isOtherThanKnown(ticket, observed.check) ||
    (ticket.invariantId === id && isServiceChanged(ticket.ticketId));
  return isNewToTicket ? ticket : null;
}

/** Somebody stopped the service, or it boots for the first time in this run: a failing check would say nothing new. */
export function isExcused(service: ServiceStatus | undefined): boolean {
  if (!service) return false;
  return service.desired === 'stopped' || (service.state === 'starting' && service.restarts === 0);
}

/** The agent may have seen a failure that no sweep saw, so a blocked ticket says itself what it knows. */
function isOtherThanKnown(ticket: OpenTicket, check: CheckResult): boolean {
  const isOwn = ticket.invariantId === check.invariantId;
  return isOwn && ticket.failure !== null && ticket.failure !== failureClass(check.error);
}

function isOtherError(before: InvariantHealth, check: CheckResult | null): boolean {
  return errorClass(before.lastCheck?.error ?? null) !== errorClass(check?.error ?? null);
}
