import type { CheckResult } from './check';
import type { RecordedFailure } from './history-event';
import type { TokenCounts } from './model-prices';
import type {
  BlockedOn,
  Brain,
  Escalation,
  EvidenceItem,
  TicketNote,
  TicketPhase,
  TicketResolution,
  TicketSpec,
  TicketStatus,
} from './ticket';
import type { Decision, ToolCall, ToolResult } from './tool';

/** How Temporal sees the run; everything but `running` and `completed` means a bug or an operator's hand. */
export type RunState = 'running' | 'completed' | 'failed' | 'timed_out' | 'terminated' | 'canceled';

export type TimelineKind =
  | 'detected'
  | 'opened'
  | 'claimed'
  | 'handed_over'
  | 'proposed'
  | 'decided'
  | 'tool'
  | 'verified'
  | 'blocked'
  | 'resumed'
  | 'note'
  | 'evidence'
  | 'verdict'
  | 'recovered_hint'
  | 'retry_requested'
  | 'cancel_requested'
  | 'archived'
  | 'activity_retried'
  | 'activity_failed'
  | 'activity_timed_out'
  | 'activity_canceled'
  | 'workflow_problem'
  | 'closed'
  | 'undone';

/** One line of a ticket's story. `ok` is null where nothing is good or bad, or not yet known. */
export interface TimelineEntry {
  readonly at: string;
  readonly kind: TimelineKind;
  readonly title: string;
  readonly detail: string;
  readonly ok: boolean | null;
}

/** A call of a turn and what came of it; `endedAt` null with `startedAt` set: it is running, or the run ended under it. */
export interface TrajectoryCall {
  readonly call: ToolCall;
  readonly decision: Decision | null;
  readonly result: ToolResult | null;
  /** The tool gave no result: it failed, timed out or was cancelled, and the outcome is not known. */
  readonly failure: RecordedFailure | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
}

/** What a turn of a model says about its call; what was sent and came back stays in history. */
export interface TurnModel {
  readonly name: string;
  readonly stopReason: string | null;
  readonly requestId: string | null;
  readonly tokens: TokenCounts;
  /** Null when the model's price is not known. */
  readonly usd: number | null;
}

export interface TrajectoryTurn {
  readonly turn: number;
  readonly attempt: number;
  readonly brain: Brain | null;
  /** Null for a brain that is no model, and while or when the model has given no answer. */
  readonly model: TurnModel | null;
  readonly text: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly calls: readonly TrajectoryCall[];
}

/** `recovered` null: the proof has not answered, or could not be made. */
export interface TrajectoryVerification {
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly recovered: boolean | null;
  readonly successes: number;
  readonly failing: readonly CheckResult[];
  readonly failure: RecordedFailure | null;
}

/** An activity that has been ordered and has not ended; it may also be waiting for a worker. */
export interface RunningActivity {
  readonly activity: string;
  readonly queue: string;
  readonly summary: string | null;
  readonly since: string;
}

/** Everything that happened on one ticket; the fold of its history (`foldTrajectory`). */
export interface Trajectory {
  readonly workflowId: string;
  readonly runId: string;
  readonly run: RunState;
  /** Null when the history does not carry a readable ticket. */
  readonly ticket: TicketSpec | null;
  readonly status: TicketStatus;
  readonly phase: TicketPhase | null;
  readonly blockedOn: BlockedOn | null;
  readonly resolution: TicketResolution | null;
  readonly escalation: Escalation | null;
  readonly attempt: number;
  readonly brain: Brain | null;
  /** As the ticket's run published it: failed and repeated calls included, models without a known price not. */
  readonly costUsd: number | null;
  /** The same, of the current attempt. */
  readonly attemptCostUsd: number | null;
  readonly joinedInvariants: readonly string[];
  /** Start of the first and of the last run of the chain. */
  readonly openedAt: string | null;
  readonly runStartedAt: string | null;
  /** When the first agent took it. */
  readonly claimedAt: string | null;
  readonly closedAt: string | null;
  readonly turns: readonly TrajectoryTurn[];
  readonly verifications: readonly TrajectoryVerification[];
  readonly notes: readonly TicketNote[];
  readonly evidence: {
    readonly initial: readonly EvidenceItem[];
    readonly later: readonly { readonly at: string; readonly check: CheckResult }[];
  };
  readonly running: readonly RunningActivity[];
  readonly timeline: readonly TimelineEntry[];
}
