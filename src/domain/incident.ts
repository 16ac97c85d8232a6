import type { CheckResult } from './check';
import type { Priority } from './invariant';

/** All DOWN invariants of one service are one incident; it belongs to the first that failed. */
export interface Incident {
  readonly invariantId: string;
  readonly service: string | null;
  readonly priority: Priority;
  /** First failed check of the owner, RFC 3339. */
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
}
