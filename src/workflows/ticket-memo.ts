import { MAX_JOINED } from '../domain/incident';
import type { TicketSpec, TicketState } from '../domain/ticket';

const MAX_OBJECTIVE = 300;
const MAX_REASON = 300;

/** Memo of a ticket run, for lists; the whole stays below 2 KB. */
interface TicketMemo {
  readonly objective: string;
  readonly attempt: number;
  readonly blocked_on: string | null;
  readonly joined_invariants: readonly string[];
  /** While blocked: how the ticket's own invariant fails, as far as the ticket knows (`failureClass`). */
  readonly failure: string | null;
  /** While blocked: how the service was left, or has been seen since (`fingerprint.ts`). */
  readonly fingerprint: string | null;
  readonly escalation_reason: string | null;
}

export const NOTHING_SEEN = { failure: null, fingerprint: null } as const;

/** What lists show besides the search attributes; capped, because a memo may hold 2 KB. */
export function ticketMemo(
  spec: TicketSpec,
  state: TicketState,
  joined: readonly string[],
  seen: Pick<TicketMemo, 'failure' | 'fingerprint'>,
): TicketMemo {
  const isBlocked = state.status === 'blocked';
  return {
    objective: spec.objective.slice(0, MAX_OBJECTIVE),
    attempt: state.attempt,
    blocked_on: state.blockedOn,
    joined_invariants: joined.slice(0, MAX_JOINED),
    failure: isBlocked ? seen.failure : null,
    fingerprint: isBlocked ? seen.fingerprint : null,
    escalation_reason: state.escalation?.reason.slice(0, MAX_REASON) ?? null,
  };
}
