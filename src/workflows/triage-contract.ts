import type { Incident } from '../domain/incident';
import type { Brain } from '../domain/ticket';

/* What a triage, the analysis beside it and the ticket tell each other. */

export interface TriageInput {
  readonly incident: Incident;
}

export interface TriageResult {
  readonly outcome: 'ticket_opened' | 'evidence_added' | 'recovered' | 'rejected';
  readonly ticketId: string | null;
  readonly reason: string;
}

/** One run of a ticket: what is meant for it must not reach the next ticket of its invariant. */
export interface TicketRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** The signal `late`: nobody waits for the answer any more. */
export interface LateNotice {
  /** The ticket that opened without the answer; null when none did, so that nobody needs it. */
  readonly run: TicketRun | null;
}

/** The signal `verdict`. */
export interface LateVerdict {
  readonly signature: string;
  readonly by: Brain;
  readonly text: string;
  /** What it cost, USD; absent when it is not known. */
  readonly usd?: number;
}
