import type {
  BlockedOn,
  Brain,
  Escalation,
  EvidenceItem,
  Hypothesis,
  TicketNote,
  TicketPhase,
  TicketResolution,
  TicketStatus,
} from './ticket';
import { OPEN_STATUSES } from './ticket';
import type { UndoneEdits } from './edit-journal';
import type { Priority } from './invariant';
import type { AttemptUse, TicketCost } from './ticket-cost';
import { attemptUse, brainsOf, costOfTicket } from './ticket-cost';
import type { TimelineEntry, Trajectory, TrajectoryTurn } from './trajectory';

/** A ticket as people see it, in lists and in detail; derived from its trajectory only. */
export interface TicketView {
  readonly id: string;
  readonly invariantId: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly temporalUrl: string | null;
  readonly status: TicketStatus;
  readonly blockedOn: BlockedOn | null;
  readonly phase: TicketPhase | null;
  readonly resolution: TicketResolution | null;
  readonly escalation: Escalation | null;
  readonly attempt: number;
  readonly objective: string;
  readonly successCriteria: string;
  readonly context: string;
  readonly suspectedCause: string;
  /** Who wrote objective, criteria, context and cause. */
  readonly verdictBy: Brain;
  readonly confidence: number;
  readonly hypotheses: readonly Hypothesis[];
  readonly priority: Priority;
  readonly brain: Brain | null;
  /** Who worked on it so far. */
  readonly brains: readonly Brain[];
  readonly cost: TicketCost;
  readonly sourceType: 'monitor' | 'manual';
  readonly sourceId: string;
  readonly service: string | null;
  readonly joinedInvariants: readonly string[];
  readonly detectedAt: string;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly closedAt: string | null;
  readonly relapseOf: string | null;
  readonly evidence: readonly EvidenceItem[];
  readonly used: AttemptUse;
  readonly turns: readonly Omit<TrajectoryTurn, 'calls' | 'text'>[];
  readonly notes: readonly TicketNote[];
  readonly timeline: readonly TimelineEntry[];
}

/** A ticket with what happened to its edits after it, which its trajectory cannot know. */
export interface TicketDetail extends TicketView {
  /** Who took its edits back last, and every file that was put back for a person; null when nobody did. */
  readonly undone: UndoneEdits | null;
}

export interface TicketFilter {
  /** `open`: pending, in progress or blocked. */
  readonly status?: TicketStatus | 'open';
  readonly invariant?: string;
  readonly service?: string;
}

/** Null when the history carries no readable ticket. */
export function ticketView(trajectory: Trajectory, temporalUrl: string | null): TicketView | null {
  const { ticket } = trajectory;
  if (!ticket) return null;
  return {
    id: ticket.id,
    invariantId: ticket.invariantId,
    workflowId: trajectory.workflowId,
    runId: trajectory.runId,
    temporalUrl,
    status: trajectory.status,
    blockedOn: trajectory.blockedOn,
    phase: trajectory.phase,
    resolution: trajectory.resolution,
    escalation: trajectory.escalation,
    attempt: trajectory.attempt,
    objective: ticket.objective,
    successCriteria: ticket.successCriteria,
    context: ticket.context,
    suspectedCause: ticket.suspectedCause,
    verdictBy: ticket.verdictBy ?? 'runbook',
    confidence: ticket.confidence,
    hypotheses: ticket.hypotheses ?? [],
    priority: ticket.priority,
    brain: trajectory.brain,
    brains: brainsOf(trajectory.turns),
    cost: costOfTicket(trajectory),
    sourceType: ticket.sourceType,
    sourceId: ticket.sourceId,
    service: ticket.service,
    joinedInvariants: trajectory.joinedInvariants,
    detectedAt: ticket.detectedAt,
    createdAt: ticket.createdAt,
    startedAt: trajectory.claimedAt,
    closedAt: trajectory.closedAt,
    relapseOf: ticket.relapseOf ?? null,
    evidence: ticket.evidence,
    used: attemptUse(trajectory),
    turns: trajectory.turns,
    notes: trajectory.notes,
    timeline: trajectory.timeline,
  };
}

export function matchesFilter(
  ticket: Pick<TicketView, 'status' | 'invariantId' | 'service'>,
  filter: TicketFilter,
): boolean {
  if (filter.invariant !== undefined && ticket.invariantId !== filter.invariant) return false;
  if (filter.service !== undefined && ticket.service !== filter.service) return false;
  if (filter.status === undefined) return true;
  return filter.status === 'open' ? OPEN_STATUSES.includes(ticket.status) : ticket.status === filter.status;
}

/** Tells of the undos (oldest first) at their place in the timeline. */
export function withUndos(ticket: TicketView, undos: readonly UndoneEdits[]): TicketDetail {
  const last = undos.at(-1);
  if (!last) return { ...ticket, undone: null };
  const timeline = [...ticket.timeline];
  for (const { at, by, reason, files } of undos) {
    const later = timeline.findIndex((entry) => entry.at > at);
    timeline.splice(later === -1 ? timeline.length : later, 0, {
      at,
      kind: 'undone',
      title: `${by} had its edits put back`,
      detail: [reason, ...files].filter((line) => line !== '').join('\n'),
      ok: null,
    });
  }
  const files = [...new Set(undos.flatMap((undo) => undo.files))];
  return { ...ticket, timeline, undone: { ...last, files } };
}
