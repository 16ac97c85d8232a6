import type { Priority } from './invariant';
import type { CheckResult } from './check';

export const TICKET_STATUSES = ['pending', 'in_progress', 'blocked', 'completed', 'failed'] as const;
export type TicketStatus = (typeof TICKET_STATUSES)[number];
export const OPEN_STATUSES: readonly TicketStatus[] = ['pending', 'in_progress', 'blocked'];
export type TicketPhase = 'investigating' | 'acting' | 'verifying';
export type BlockedOn = 'approval' | 'dependency' | 'person' | 'monitor' | 'budget';
export type TicketResolution = 'fixed' | 'self_recovered' | 'dismissed' | 'cancelled';
export type Brain = 'runbook' | 'claude';

/**
 * Why an attempt begins. `changed_files`: somebody changed the service's editable files; `changed_process`: its process is
 * another one, or who owns its port (files may have changed too); `changed_failure`: it fails in another way than the ticket
 * knew; `time`: `agent.retry_after` is over.
 */
export type AttemptCause =
  'opened' | 'person' | 'time' | 'changed_failure' | 'changed_files' | 'changed_process';

/** One fact, citable by its ID. Text is redacted and capped before it gets here. */
export interface EvidenceItem {
  readonly id: string;
  readonly kind: 'check' | 'process' | 'logs' | 'metrics' | 'report';
  readonly at: string;
  readonly title: string;
  readonly text: string;
}

/** A possible cause, most likely first, and the evidence that supports it. A cause without any says so itself. */
export interface Hypothesis {
  readonly cause: string;
  readonly evidence: readonly string[];
}

/** Everything known when the ticket opens; the input of its workflow, never changed afterwards. */
export interface TicketSpec {
  readonly id: string;
  readonly invariantId: string;
  readonly service: string | null;
  readonly objective: string;
  readonly successCriteria: string;
  readonly context: string;
  readonly priority: Priority;
  readonly suspectedCause: string;
  readonly confidence: number;
  readonly sourceType: 'monitor' | 'manual';
  readonly sourceId: string;
  readonly detectedAt: string;
  readonly createdAt: string;
  readonly joinedInvariants: readonly string[];
  readonly evidence: readonly EvidenceItem[];
  readonly firstCheck: CheckResult | null;
  /** Who wrote objective, criteria, context, cause and hypotheses; absent in tickets of earlier versions. */
  readonly verdictBy?: Brain;
  readonly hypotheses?: readonly Hypothesis[];
  /** The ticket of this invariant that closed less than `monitor.cooldown` before; absent in tickets of earlier versions. */
  readonly relapseOf?: string | null;
  /** Recent repairs of its service that did not last, this failure's included; absent in tickets of earlier versions. */
  readonly relapses?: number;
  /** What the verdict cost, USD; absent in tickets of earlier versions. */
  readonly analysisUsd?: number;
}

export interface TicketNote {
  readonly at: string;
  readonly by: string;
  readonly text: string;
}

export interface Escalation {
  readonly at: string;
  readonly reason: string;
  readonly report: string;
}

/** The mutable part of a ticket, changed only by `applyTicketEvent`. */
export interface TicketState {
  readonly status: TicketStatus;
  readonly phase: TicketPhase | null;
  readonly blockedOn: BlockedOn | null;
  readonly resolution: TicketResolution | null;
  readonly escalation: Escalation | null;
  readonly attempt: number;
  /** Acting tool calls that may have changed something; decides `fixed` against `self_recovered`. */
  readonly effects: number;
}

export const NEW_TICKET: TicketState = {
  status: 'pending',
  phase: null,
  blockedOn: null,
  resolution: null,
  escalation: null,
  attempt: 0,
  effects: 0,
};

export type TicketEvent =
  | { readonly type: 'claimed' }
  | { readonly type: 'acting' }
  /** An acting call ended and something was, or may have been, changed. */
  | { readonly type: 'effect_done' }
  | { readonly type: 'verifying' }
  | { readonly type: 'investigating' }
  | { readonly type: 'blocked'; readonly on: BlockedOn; readonly escalation: Escalation | null }
  | { readonly type: 'resumed'; readonly newAttempt: boolean }
  | { readonly type: 'recovery_verified' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'dismissed' };

export function isOpen(state: Pick<TicketState, 'status'>): boolean {
  return OPEN_STATUSES.includes(state.status);
}

/** Somebody works on it or is about to; a blocked one rests until something begins an attempt. */
export function isAtWork({ status }: Pick<TicketState, 'status'>): boolean {
  return status === 'pending' || status === 'in_progress';
}

/** Applies one event; null when the event is not legal in this state (the caller decides what that means). */
export function applyTicketEvent(state: TicketState, event: TicketEvent): TicketState | null {
  if (!isOpen(state)) return null;
  switch (event.type) {
    case 'claimed':
      return state.status === 'pending'
        ? { ...state, status: 'in_progress', phase: 'investigating', blockedOn: null, attempt: 1 }
        : null;
    case 'acting':
      return state.status === 'in_progress' ? { ...state, phase: 'acting' } : null;
    case 'effect_done':
      return state.status === 'in_progress' ? { ...state, effects: state.effects + 1 } : null;
    case 'verifying':
      return state.status === 'pending'
        ? null
        : { ...state, status: 'in_progress', phase: 'verifying', blockedOn: null };
    case 'investigating':
      return state.status === 'in_progress' ? { ...state, phase: 'investigating' } : null;
    case 'blocked':
      return {
        ...state,
        status: 'blocked',
        phase: null,
        blockedOn: event.on,
        escalation: event.escalation ?? state.escalation,
      };
    case 'resumed':
      return state.status === 'blocked'
        ? {
            ...state,
            status: 'in_progress',
            phase: 'investigating',
            blockedOn: null,
            attempt: event.newAttempt ? state.attempt + 1 : state.attempt,
          }
        : null;
    case 'recovery_verified':
      return state.phase === 'verifying'
        ? { ...closed(state, 'completed'), resolution: state.effects > 0 ? 'fixed' : 'self_recovered' }
        : null;
    case 'cancelled':
      return { ...closed(state, 'failed'), resolution: 'cancelled' };
    case 'dismissed':
      return { ...closed(state, 'failed'), resolution: 'dismissed' };
  }
}

function closed(state: TicketState, status: 'completed' | 'failed'): TicketState {
  return { ...state, status, phase: null, blockedOn: null };
}

/** What `RemediateTicket` returns and the archive keeps. */
export interface TicketResult {
  readonly ticketId: string;
  readonly status: TicketStatus;
  readonly resolution: TicketResolution;
  readonly attempts: number;
  readonly effects: number;
  readonly closedAt: string;
  /** Why a person closed it; null when it was repaired. */
  readonly reason: string | null;
}
