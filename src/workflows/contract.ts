import type { CheckResult } from '../domain/check';
import type { Incident } from '../domain/incident';
import type { HealthTransition, RegistryEvent, RegistryState } from '../domain/registry';
import type {
  AnalystAnswer,
  AnalyzeInput,
  AskAnalystInput,
  EvidenceBundle,
  RuleVerdict,
} from '../domain/analyst-rules';
import type { TicketSpec } from '../domain/ticket';
import type { TicketCarry } from './ticket-carry';

/** Every name that crosses a process border through Temporal stands here, once. */
export const QUEUES = { monitor: 'harness-monitor', agent: 'harness-agent' } as const;

export const WORKFLOWS = {
  monitor: 'Monitor',
  checkNow: 'CheckNow',
  triageFailure: 'TriageFailure',
  askAnalyst: 'AskAnalyst',
  remediateTicket: 'RemediateTicket',
  undoEdits: 'UndoEdits',
  invariantRegistry: 'InvariantRegistry',
} as const;

export const SCHEDULE_ID = 'monitor';
/** The schedule appends the time of each run. */
export const MONITOR_WORKFLOW_ID = 'harness/monitor';
export const REGISTRY_WORKFLOW_ID = 'harness/registry';
/** A ticket's workflow ID is the invariant's ID itself: that is the whole deduplication. */
export const ticketWorkflowId = (invariantId: string): string => invariantId;
/** One triage of one service at a time: two of its invariants that fail in the same moment must not open two tickets. */
export const triageWorkflowId = ({
  service,
  invariantId,
}: Pick<Incident, 'service' | 'invariantId'>): string =>
  service === null ? `triage/invariant/${invariantId}` : `triage/${service}`;
/** What a model thinks of one ticket's failure; it may outlive the triage that asked. */
export const analysisWorkflowId = (ticketId: string): string => `analysis/${ticketId}`;
export const checkWorkflowId = (target: CheckTarget): string =>
  target.kind === 'service' ? `check/${target.service}` : `check/invariant/${target.invariantId}`;
/** One undo of a ticket's edits at a time; a second one later finds nothing left. */
export const undoWorkflowId = (ticketId: string): string => `undo/${ticketId}`;

export const SIGNALS = {
  /** Registry: `RegistryEvent` of type `transitions`. */
  transitions: 'transitions',
  /** Registry: `RegistryEvent` of type `dismissed`; a signal, because a person may dismiss while no monitor runs. */
  dismissed: 'dismissed',
  /** CheckNow: `RecheckRequest`. */
  recheck: 'recheck',
  /** Ticket: `TicketEvidence`. */
  evidence: 'evidence',
  /** Ticket: `RecoveredHint`. */
  recovered: 'recovered',
  /** AskAnalyst: `LateNotice`; nobody waits for the answer any more. */
  late: 'late',
  /** Ticket: `LateVerdict`. */
  verdict: 'verdict',
  /** Ticket: `NoteInput`. */
  note: 'note',
  /** Ticket: `CancelReason`, sent before Temporal's own cancellation. */
  cancelReason: 'cancel_reason',
  /** Ticket: `PersonRequest`; the next attempt begins. */
  retry: 'retry',
} as const;

export const UPDATES = { changeRegistry: 'change' } as const;
export const QUERIES = {
  /** `RegistryState`. */
  registryState: 'state',
  /** `RegistryNews`: the state, unless it is the one the caller has. Sweeps ask every few seconds, and it is large. */
  registryNews: 'news',
} as const;

/** Search attribute name → type; registered and verified at every start. */
export const SEARCH_ATTRIBUTES = {
  TicketId: 'KEYWORD',
  TicketStatus: 'KEYWORD',
  TicketPhase: 'KEYWORD',
  TicketResolution: 'KEYWORD',
  TicketPriority: 'KEYWORD',
  InvariantId: 'KEYWORD',
  ServiceName: 'KEYWORD',
  Brain: 'KEYWORD',
  CostUsd: 'DOUBLE',
  DetectedAt: 'DATETIME',
} as const;

export type CheckTarget =
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'invariant'; readonly invariantId: string };

export interface RecheckRequest {
  /** `exit`: the supervisor saw the process end and nobody had asked for it, which is its own confirmation. */
  readonly cause: 'exit' | 'person' | 'event';
}

export interface TicketEvidence {
  /** Same signature, same evidence: the ticket keeps it once. */
  readonly signature: string;
  readonly check: CheckResult;
  /** How the service is by now, when that is not how a blocked ticket left it. */
  readonly fingerprint?: string;
}

export interface RecoveredHint {
  readonly check: CheckResult;
}

export interface NoteInput {
  readonly at: string;
  readonly by: string;
  readonly text: string;
  readonly signature: string;
}

export interface CancelReason {
  readonly by: string;
  readonly reason: string;
  /** `dismiss`: the ticket is not worth work. `cancel`: stop this work. */
  readonly mode: 'cancel' | 'dismiss';
}

export interface PersonRequest {
  readonly by: string;
  readonly reason: string;
}

export interface RegistryInput {
  readonly state: RegistryState | null;
}

export interface RegistryNews {
  readonly version: string;
  /** Null: the caller has it. */
  readonly state: RegistryState | null;
}

export interface CheckNowInput {
  readonly target: CheckTarget;
}

export interface CheckNowResult {
  readonly checks: readonly CheckResult[];
}

export interface RemediateInput {
  readonly ticket: TicketSpec;
  /** Absent in a ticket's first run. */
  readonly carried?: TicketCarry;
}

/** A run of a ticket, for the activities that keep its history. */
export type TicketRunInput = Readonly<Record<'workflowId' | 'runId' | 'ticketId', string>>;

export interface SweepInput {
  readonly scope: { readonly kind: 'all' } | CheckTarget;
  /** A failure needs no second look: the process is known to have ended. */
  readonly confirmed: boolean;
  /** Whether the caller needs every check, not only what changed. */
  readonly includeChecks: boolean;
}

/** New tickets of one sweep. The rest is still down at the next one; a storm must not drown the server. */
export const MAX_NEW_INCIDENTS = 20;

/** What one sweep found; empty lists while everything is healthy. */
export interface SweepReport {
  readonly at: string;
  readonly checked: number;
  readonly transitions: readonly HealthTransition[];
  readonly incidents: readonly Incident[];
  readonly evidence: readonly { readonly workflowId: string; readonly evidence: TicketEvidence }[];
  readonly recovered: readonly {
    readonly workflowId: string;
    readonly runId: string;
    readonly hint: RecoveredHint;
  }[];
  readonly checks: readonly CheckResult[];
}

export interface VerifyInput {
  readonly invariantId: string;
  readonly joined: readonly string[];
  readonly service: string | null;
}

export interface VerifyResult {
  readonly recovered: boolean;
  readonly at: string;
  /** Consecutive successes seen of each invariant that had to hold. */
  readonly successes: number;
  readonly failing: readonly CheckResult[];
  /** Set when nothing was left to hold, because the invariants were removed or disabled, and when nobody could tell. */
  readonly note?: string;
}

/** Activities on the queue `harness-monitor`. */
export interface MonitorActivities {
  /** Probes the scope and decides transitions, incidents and recoveries. Throws CheckCouldNotRun. */
  checkInvariants(input: SweepInput): Promise<SweepReport>;
  /** Gathers logs, metrics and process state of an incident and mints the ticket's ID. Never fails for missing sources. */
  collectEvidence(incident: Incident): Promise<EvidenceBundle>;
  /** The analyst by rules: is this worth a ticket, and which? Says whether a model is to be asked too. */
  analyzeFailure(input: AnalyzeInput): Promise<RuleVerdict>;
  /** Asks the model. What cannot be had in time, or at all, is an answer without a verdict; throws only what is worth another try. */
  askAnalyst(input: AskAnalystInput): Promise<AnalystAnswer>;
  /** Proves recovery in a process that did not do the repair. Throws CheckCouldNotRun. */
  verifyRecovery(input: VerifyInput): Promise<VerifyResult>;
}

/** What people and the file change; an update, so that they hear whether it was taken. */
export type RegistryChange = Exclude<RegistryEvent, { type: 'transitions' | 'dismissed' }>;

/** The registry's only update; rejected with RegistryRejected when a validator says no. */
export type ChangeRegistry = (event: RegistryChange) => RegistryState['revision'];
