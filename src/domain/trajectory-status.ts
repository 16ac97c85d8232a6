import type { Json } from './json';
import type { BlockedOn, Brain, Escalation, TicketPhase, TicketResolution, TicketStatus } from './ticket';
import { OPEN_STATUSES } from './ticket';
import type { TimelineEntry, Trajectory } from './trajectory';
import {
  readBlockedOn,
  readBrain,
  readNumber,
  readPhase,
  readResolution,
  readStatus,
  readText,
  readTexts,
} from './trajectory-payloads';

type Fields = Readonly<Record<string, Json>>;

/** What the brain wrote when it gave up; the memo keeps only the beginning of the reason. */
export interface EscalationReport {
  readonly at: string;
  readonly reason: string;
  readonly report: string;
}

/** The state of the ticket as its run publishes it: search attributes and memo, in the order of history. */
export class TrajectoryStatus {
  brain: Brain | null = null;
  attempt = 0;
  private status: TicketStatus = 'pending';
  private phase: TicketPhase | null = null;
  private resolution: TicketResolution | null = null;
  private blockedOn: BlockedOn | null = null;
  private escalation: Escalation | null = null;
  private costUsd: number | null = null;
  private earlierCostUsd = 0;
  private joined: readonly string[] = [];
  private closedAt: string | null = null;
  /** Where the timeline says that it is blocked; the memo that follows says why. */
  private blockedEntry: number | null = null;

  constructor(private readonly timeline: TimelineEntry[]) {}

  now(): Pick<
    Trajectory,
    | 'status'
    | 'phase'
    | 'resolution'
    | 'blockedOn'
    | 'escalation'
    | 'attempt'
    | 'costUsd'
    | 'attemptCostUsd'
    | 'joinedInvariants'
    | 'closedAt'
  > {
    const { status, phase, resolution, blockedOn, escalation, attempt, costUsd, closedAt } = this;
    return {
      status,
      phase,
      resolution,
      blockedOn,
      escalation,
      attempt,
      costUsd,
      attemptCostUsd: costUsd === null ? null : Math.max(0, costUsd - this.earlierCostUsd),
      closedAt,
      joinedInvariants: this.joined,
    };
  }

  join(ids: readonly string[]): void {
    this.joined = [...new Set([...this.joined, ...ids])];
  }

  applySearchAttributes(at: string, fields: Fields): void {
    if ('TicketPhase' in fields) this.phase = readPhase(fields['TicketPhase']);
    if ('TicketResolution' in fields) this.resolution = readResolution(fields['TicketResolution']);
    if ('Brain' in fields) this.brain = readBrain(fields['Brain']);
    if ('CostUsd' in fields) this.costUsd = readNumber(fields['CostUsd']) ?? this.costUsd;
    const status = readStatus(fields['TicketStatus']);
    if (status) this.changeStatus(at, status);
  }

  applyMemo(at: string, fields: Fields, last: EscalationReport | null): void {
    if ('attempt' in fields) this.beginAttempt(readNumber(fields['attempt']) ?? this.attempt);
    if ('joined_invariants' in fields) this.join(readTexts(fields['joined_invariants']) ?? []);
    const reason = readText(fields['escalation_reason']);
    if (reason !== null && this.isNews(reason, last)) this.escalate(at, reason, last);
    if (!('blocked_on' in fields)) return;
    const before = this.blockedOn;
    this.blockedOn = readBlockedOn(fields['blocked_on']);
    if (this.status !== 'blocked' || this.blockedOn === null) return;
    if (this.blockedEntry === null || (before !== null && before !== this.blockedOn)) this.sayBlocked(at);
    else this.describeBlocked(this.blockedEntry);
  }

  /** The run is over. A ticket that had not closed by then never will: it failed, and the timeline says how. */
  runEnded(at: string, detail: string): void {
    if (this.closedAt !== null) return;
    this.status = 'failed';
    this.phase = null;
    this.blockedOn = null;
    this.closedAt = at;
    this.timeline.push({ at, kind: 'closed', title: 'closed without an end', detail, ok: false });
  }

  private beginAttempt(attempt: number): void {
    if (attempt !== this.attempt) this.earlierCostUsd = this.costUsd ?? 0;
    this.attempt = attempt;
  }

  private changeStatus(at: string, status: TicketStatus): void {
    const before = this.status;
    this.status = status;
    if (status === before) return;
    if (status === 'blocked') return this.sayBlocked(at);
    this.blockedEntry = null;
    if (!OPEN_STATUSES.includes(status)) return this.close(at, status);
    if (before === 'blocked') {
      this.timeline.push({ at, kind: 'resumed', title: 'work goes on', detail: '', ok: null });
    }
  }

  private close(at: string, status: TicketStatus): void {
    this.closedAt = at;
    this.blockedOn = null;
    const title = `closed: ${this.resolution ?? status}`;
    this.timeline.push({ at, kind: 'closed', title, detail: '', ok: status === 'completed' });
  }

  private sayBlocked(at: string): void {
    this.blockedEntry = this.timeline.length;
    this.timeline.push({ at, kind: 'blocked', title: 'blocked', detail: '', ok: false });
    this.describeBlocked(this.blockedEntry);
  }

  private describeBlocked(index: number): void {
    const entry = this.timeline[index];
    if (!entry || this.blockedOn === null) return;
    const detail = this.blockedOn === 'monitor' ? 'no monitor answers' : (this.escalation?.reason ?? '');
    this.timeline[index] = { ...entry, title: `blocked: waits for ${WAITS_FOR[this.blockedOn]}`, detail };
  }

  private isNews(reason: string, last: EscalationReport | null): boolean {
    if (!this.escalation?.reason.startsWith(reason)) return true;
    return last !== null && last.reason.startsWith(reason) && last.at > this.escalation.at;
  }

  private escalate(at: string, reason: string, last: EscalationReport | null): void {
    const isFrom = last?.reason.startsWith(reason) === true;
    this.escalation = { at, reason: isFrom ? last.reason : reason, report: isFrom ? last.report : '' };
  }
}

const WAITS_FOR: Readonly<Record<BlockedOn, string>> = {
  approval: 'an approval',
  dependency: 'another ticket',
  person: 'a person',
  monitor: 'the monitor',
  budget: 'a new budget',
};
