import type { HealthState } from '../domain/health';
import type { CheckResult } from '../domain/check';
import type { AttemptLimits } from '../domain/budget';
import type { Dismissal } from '../domain/dismissal';
import type { Pause } from '../domain/pause';
import type { RegisteredInvariant } from '../domain/registry';
import type { ServiceStatus } from '../domain/service-state';
import type { TicketDetail, TicketView } from '../domain/ticket-view';
import type { TokenCounts } from '../domain/model-prices';
import type { TicketCost } from '../domain/ticket-cost';
import { costOfTicket } from '../domain/ticket-cost';
import type { Trajectory, TrajectoryTurn } from '../domain/trajectory';
import type { UndoneFile } from '../domain/undo-report';
import type { UndoAnswer } from './dependencies';
import { invariantWire } from './invariant-wire';

/*
 * From our types to the wire: snake_case, and never more than the contract names. Fields that have no meaning yet are
 * there with their empty value, so that clients need not change when they get one.
 */

export function ticketItem(ticket: TicketView) {
  return {
    id: ticket.id,
    invariant_id: ticket.invariantId,
    workflow_id: ticket.workflowId,
    run_id: ticket.runId,
    temporal_url: ticket.temporalUrl,
    status: ticket.status,
    blocked_on: ticket.blockedOn,
    phase: ticket.phase,
    resolution: ticket.resolution,
    escalation: ticket.escalation,
    attempt: ticket.attempt,
    objective: ticket.objective,
    success_criteria: ticket.successCriteria,
    context: ticket.context,
    suspected_cause: ticket.suspectedCause,
    verdict_by: ticket.verdictBy,
    confidence: ticket.confidence,
    priority: ticket.priority,
    brain: ticket.brain,
    source_type: ticket.sourceType,
    source_id: ticket.sourceId,
    service: ticket.service,
    joined_invariants: ticket.joinedInvariants,
    detected_at: ticket.detectedAt,
    created_at: ticket.createdAt,
    started_at: ticket.startedAt,
    closed_at: ticket.closedAt,
    relapse_of: ticket.relapseOf,
    ...costWire(ticket.cost),
  };
}

export function ticketDetail(ticket: TicketDetail, limits: AttemptLimits) {
  return {
    ...ticketItem(ticket),
    hypotheses: ticket.hypotheses,
    evidence: ticket.evidence,
    notes: ticket.notes,
    timeline: ticket.timeline,
    undone: ticket.undone,
    brains: ticket.brains,
    turns: ticket.turns.map(turnWire),
    budget_used: { ...ticket.used, usd: usdWire(ticket.used.usd) },
    budget_limits: { turns: limits.turns, usd: limits.usd, tokens: limits.tokens },
    pending_approval: null,
  };
}

export function undoWire(ticketId: string, answer: UndoAnswer) {
  const files = answer.kind === 'done' ? answer.report.files : [];
  const pathsOf = (outcome: UndoneFile['outcome']) =>
    files.filter((file) => file.outcome === outcome).map(({ path }) => path);
  const undone = pathsOf('undone');
  const left = files
    .filter(({ outcome }) => outcome === 'left' || outcome === 'failed')
    .map(({ path, reason }) => ({ path, reason }));
  const nothing = undone.length === 0 && left.length === 0 ? 'Nothing was left to undo.' : '';
  return {
    ticket_id: ticketId,
    state: answer.kind,
    undone,
    as_found: pathsOf('as_found'),
    left,
    detail: answer.kind === 'done' ? nothing : answer.detail,
  };
}

export function trajectoryWire(trajectory: Trajectory) {
  return {
    ticket_id: trajectory.ticket?.id ?? null,
    workflow_id: trajectory.workflowId,
    run_id: trajectory.runId,
    run_state: trajectory.run,
    status: trajectory.status,
    phase: trajectory.phase,
    blocked_on: trajectory.blockedOn,
    resolution: trajectory.resolution,
    escalation: trajectory.escalation,
    attempt: trajectory.attempt,
    brain: trajectory.brain,
    opened_at: trajectory.openedAt,
    started_at: trajectory.claimedAt,
    closed_at: trajectory.closedAt,
    turns: trajectory.turns.map(({ text, calls, ...turn }) => ({
      ...turnWire(turn),
      text,
      calls: calls.map(({ call, decision, result, failure, ...times }) => ({
        call,
        decision,
        result: result && { is_error: result.isError, content: result.content, data: result.data },
        failure,
        started_at: times.startedAt,
        ended_at: times.endedAt,
      })),
    })),
    verifications: trajectory.verifications.map(({ startedAt, endedAt, failing, ...proof }) => ({
      ...proof,
      started_at: startedAt,
      ended_at: endedAt,
      failing: failing.map(checkWire),
    })),
    evidence: {
      initial: trajectory.evidence.initial,
      later: trajectory.evidence.later.map(({ at, check }) => ({ at, check: checkWire(check) })),
    },
    notes: trajectory.notes,
    running: trajectory.running,
    timeline: trajectory.timeline,
    ...costWire(costOfTicket(trajectory)),
  };
}

/** A turn without what it said and did. */
function turnWire({
  turn,
  attempt,
  brain,
  model,
  startedAt,
  endedAt,
}: Omit<TrajectoryTurn, 'calls' | 'text'>) {
  return {
    turn,
    attempt,
    brain,
    model: model?.name ?? null,
    tokens: model && tokensWire(model.tokens),
    usd: usdWire(model?.usd ?? null),
    stop_reason: model?.stopReason ?? null,
    request_id: model?.requestId ?? null,
    started_at: startedAt,
    ended_at: endedAt,
  };
}

function costWire({ usd, tokens }: TicketCost) {
  return { cost: usdWire(usd), tokens: tokensWire(tokens) };
}

function tokensWire({ input, cacheWrite5m, cacheWrite1h, cacheRead, output }: TokenCounts) {
  return {
    input,
    cache_write_5m: cacheWrite5m,
    cache_write_1h: cacheWrite1h,
    cache_read: cacheRead,
    output,
  };
}

/** To the millionth: sums carry rounding errors. */
export function usdWire(usd: number | null): number | null {
  return usd === null ? null : Math.round(usd * 1e6) / 1e6;
}

export function checkWire(check: CheckResult) {
  const { invariantId, at, ok, latencyMs, resolved, error } = check;
  return { invariant_id: invariantId, at, ok, latency_ms: latencyMs, resolved, error };
}

export interface InvariantContext {
  /** The newest sample of the monitor; null when it does not answer. */
  readonly sample: CheckResult | null;
  readonly openTicketId: string | null;
  /** Whether a monitor is checking: without one the last known state says nothing about now. */
  readonly isWatched: boolean;
  readonly pause: PauseView | null;
  readonly dismissal: Dismissal | null;
  /** Whether it goes down again and again, so that its proof of recovery takes longer. */
  readonly isFlapping: boolean;
}

/** Why something is not watched: a pause, or a service that a person stopped (which has no `until`). */
export type PauseView = Pick<Pause, 'by' | 'until'>;

export function invariantItem(
  { definition, source, revision, health }: RegisteredInvariant,
  { sample, openTicketId, isWatched, pause, dismissal, isFlapping }: InvariantContext,
) {
  const isCurrent = sample !== null && sample.revision === revision;
  const last = isCurrent ? sample : health.lastCheck;
  return {
    ...invariantWire(definition, { hideSecrets: true }),
    source,
    state: stateOf(definition.enabled && !pause, isWatched, health.state),
    paused_by: pause?.by ?? null,
    paused_until: pause?.until ?? null,
    dismissed: dismissal,
    since: health.since,
    flapping: isFlapping,
    last_check: last && lastCheck(last),
    uptime_24h: null,
    open_ticket_id: openTicketId,
  };
}

export function pauseItem({ target, by, at, until }: Pause) {
  const name = target.kind === 'all' ? null : target.kind === 'service' ? target.service : target.invariantId;
  return { kind: target.kind, name, by, at, until };
}

function stateOf(isActive: boolean, isWatched: boolean, known: HealthState): HealthState | 'paused' {
  if (!isActive) return 'paused';
  return isWatched ? known : 'unknown';
}

function lastCheck({ at, ok, latencyMs, resolved, error }: CheckResult) {
  return { at, ok, latency_ms: latencyMs, resolved, error };
}

export function serviceItem({ startedAt, ...service }: ServiceStatus, pause: PauseView | null) {
  const { name, state, pid, exit, restarts, ready, desired } = service;
  return {
    name,
    state,
    pid,
    started_at: startedAt,
    exit,
    restarts,
    ready,
    desired,
    paused_by: pause?.by ?? null,
    paused_until: pause?.until ?? null,
  };
}
