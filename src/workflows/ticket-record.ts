import {
  condition,
  patched,
  setHandler,
  defineSignal,
  upsertMemo,
  upsertSearchAttributes,
  setCurrentDetails,
} from '@temporalio/workflow';
import type {
  AttemptCause,
  BlockedOn,
  Brain,
  Escalation,
  TicketEvent,
  TicketSpec,
  TicketState,
} from '../domain/ticket';
import { applyTicketEvent, NEW_TICKET } from '../domain/ticket';
import type { ToolResult } from '../domain/tool';
import type { TicketContext } from './agent-contract';
import type { CancelReason, NoteInput, PersonRequest, RecoveredHint, TicketEvidence } from './contract';
import { SIGNALS } from './contract';
import { FailureWatch } from './failure-watch';
import { Rest } from './rest';
import { ticketKeys } from './search-attributes';
import { isHistoryLong, newestTexts } from './ticket-carry';
import type { RecordCarry } from './ticket-carry';
import { ticketMemo } from './ticket-memo';
import type { LateVerdict } from './triage-contract';

/** Tickets from before keep the pace they began with. */
const PACED = 'rest-after-failed-proof';
/** Sweeps say every few seconds that it holds; where the proof disagrees with them, it is not asked for again at once. */
const REST_AFTER_PROOF_MS = 30_000;
/** A failure that goes back and forth must not fill the history. */
const PUBLISH_EVERY_MS = 5_000;

/** The mutable side of one ticket run: its state, and what signals have brought. Nothing else changes it. */
export class TicketRecord {
  state: TicketState = NEW_TICKET;
  cancelReason: CancelReason | null = null;
  /** A tool that edits files was called, whatever came of it. */
  hasEdited = false;
  /** A person paused what the ticket is about: the last acting call was refused. */
  isHeldByPause = false;
  private readonly joined = new Set<string>();
  private readonly seen = new Set<string>();
  private news: string[] = [];
  private recovered = false;
  private retry = false;
  private readonly failure: FailureWatch;
  private published = '';
  private brain: Brain | null = null;
  private earlierUsd = 0;
  private attemptUsd = 0;
  private readonly afterProof = new Rest();
  private readonly afterPublish = new Rest();
  /** When the next attempt begins by itself, ms since the epoch; null while that is not settled. */
  private retryAt: number | null = null;

  constructor(
    readonly spec: TicketSpec,
    carried?: RecordCarry,
  ) {
    this.failure = new FailureWatch(spec.invariantId, spec.firstCheck);
    this.earlierUsd = spec.analysisUsd ?? 0;
    for (const id of spec.joinedInvariants) this.joined.add(id);
    if (carried) this.takeOver(carried);
    setHandler(defineSignal<[TicketEvidence]>(SIGNALS.evidence), (evidence) => this.addEvidence(evidence));
    setHandler(defineSignal<[RecoveredHint]>(SIGNALS.recovered), () => {
      this.recovered = true;
    });
    setHandler(defineSignal<[NoteInput]>(SIGNALS.note), (note) => this.addNote(note));
    setHandler(defineSignal<[LateVerdict]>(SIGNALS.verdict), ({ signature, text, usd }) => {
      if (!this.seen.has(signature)) this.addAnalysisCost(usd ?? 0);
      this.addNews(signature, text);
    });
    setHandler(defineSignal<[CancelReason]>(SIGNALS.cancelReason), (reason) => {
      this.cancelReason ??= reason;
    });
    setHandler(defineSignal<[PersonRequest]>(SIGNALS.retry), () => {
      this.retry = true;
    });
  }

  /** For the next run; what is published goes over beside it. */
  carry(): RecordCarry {
    const { state, cancelReason, hasEdited, isHeldByPause, recovered, retry, published } = this;
    const { brain, earlierUsd, attemptUsd, retryAt } = this;
    return {
      state,
      cancelReason,
      hasEdited,
      isHeldByPause,
      recovered,
      retry,
      published,
      brain,
      earlierUsd,
      attemptUsd,
      retryAt,
      joined: [...this.joined],
      seen: newestTexts([...this.seen]),
      news: newestTexts(this.news),
      failure: this.failure.carry(),
    };
  }

  private takeOver({ joined, seen, news, failure, ...rest }: RecordCarry): void {
    Object.assign(this, rest);
    for (const id of joined) this.joined.add(id);
    for (const signature of seen) this.seen.add(signature);
    this.news.push(...news);
    this.failure.takeOver(failure);
    this.describe();
  }

  get context(): TicketContext {
    const { id, invariantId, service, detectedAt, relapses = 0 } = this.spec;
    return { ticketId: id, invariantId, service, detectedAt, relapses };
  }

  get joinedInvariants(): readonly string[] {
    return [...this.joined];
  }

  /** Applies a legal event and publishes the new state; an illegal one, or one that changes nothing, is silent. */
  apply(event: TicketEvent, brain?: Brain): void {
    const next = applyTicketEvent(this.state, event);
    if (!next || JSON.stringify(next) === JSON.stringify(this.state)) return;
    if (event.type === 'resumed' && event.newAttempt) this.closeAttemptCost();
    this.brain = brain ?? this.brain;
    this.state = next;
    this.publish(brain);
  }

  /** Who works on it from now on. */
  useBrain(brain: Brain): void {
    if (brain === this.brain) return;
    this.brain = brain;
    upsertSearchAttributes([{ key: ticketKeys.brain, value: brain }]);
  }

  /** What the attempt has cost so far, in USD; null when that is not known. */
  setAttemptCost(usd: number | null): void {
    if (usd === null || usd === this.attemptUsd) return;
    this.attemptUsd = usd;
    this.publishCost();
  }

  private addAnalysisCost(usd: number): void {
    if (usd === 0) return;
    this.earlierUsd += usd;
    this.publishCost();
  }

  private publishCost(): void {
    upsertSearchAttributes([{ key: ticketKeys.costUsd, value: this.earlierUsd + this.attemptUsd }]);
  }

  private closeAttemptCost(): void {
    this.earlierUsd += this.attemptUsd;
    this.attemptUsd = 0;
  }

  /** Evidence and notes that came since the last call, as text for the brain. */
  takeNews(): readonly string[] {
    const news = this.news;
    this.news = [];
    this.failure.tellBrain();
    return news;
  }

  /** Nobody has answered yet whether the invariant holds: the next run asks again. */
  keepHint(): void {
    this.recovered = true;
  }

  /** Whether somebody said the invariant holds, since the last call. */
  takeRecoveredHint(): boolean {
    const recovered = this.recovered;
    this.recovered = false;
    return recovered;
  }

  /** While blocked: resolves when there is a reason to move, and says which. A proof in between does not put off the next attempt. */
  async waitForReason(retryAfterMs: number): Promise<'recovered' | 'long_history' | AttemptCause> {
    const mayWake = patched('wake-on-changed-failure');
    const isPaced = patched(PACED);
    const whyWoken = () => (mayWake && this.state.blockedOn === 'person' ? this.failure.whyAttempt() : null);
    const mayPublish = (): boolean =>
      mayWake && this.afterPublish.isOver && JSON.stringify(this.failure.published) !== this.published;
    const mayProve = (): boolean => this.recovered && this.afterProof.isOver;
    const hasReason = (): boolean => mayProve() || this.retry || whyWoken() !== null || isHistoryLong();
    const until = (isPaced ? this.retryAt : null) ?? Date.now() + retryAfterMs;
    this.retryAt = until;
    while (!hasReason() && Date.now() < until) {
      await condition(() => hasReason() || mayPublish(), until - Date.now());
      if (!mayPublish()) continue;
      // Sweeps compare it with what they see.
      this.publish();
      if (isPaced) this.afterPublish.begin(PUBLISH_EVERY_MS);
    }
    if (isHistoryLong()) return 'long_history';
    if (mayProve()) {
      this.recovered = false;
      return 'recovered';
    }
    const cause = this.retry ? 'person' : (whyWoken() ?? 'time');
    this.failure.beginAttempt(cause);
    this.retry = false;
    this.retryAt = null;
    return cause;
  }

  /** The proof did not confirm a hint: the ticket waits on, and rests before it asks for the next one. */
  waitOn(on: BlockedOn): void {
    this.apply({ type: 'blocked', on, escalation: null });
    if (patched(PACED)) this.afterProof.begin(REST_AFTER_PROOF_MS);
  }

  /** Whatever still fails once a pause is over begins the next attempt. */
  askPerson(escalation: Escalation): void {
    if (this.isHeldByPause) this.failure.hideByPause();
    this.isHeldByPause = false;
    this.apply({ type: 'blocked', on: 'person', escalation });
  }

  /** What the brain saw for itself may be newer than what the monitor reported. */
  addResult(result: ToolResult): void {
    this.failure.reportResult(result);
  }

  private addEvidence(evidence: TicketEvidence): void {
    this.failure.report(evidence.check);
    if (evidence.fingerprint !== undefined) this.failure.reportService(evidence.fingerprint);
    if (this.seen.has(evidence.signature)) return;
    this.seen.add(evidence.signature);
    const { invariantId, error } = evidence.check;
    this.news.push(`${invariantId} fails: ${error ?? 'the condition is false'}`);
    if (invariantId === this.spec.invariantId || this.joined.has(invariantId)) return;
    this.joined.add(invariantId);
    this.publish();
  }

  private addNote(note: NoteInput): void {
    this.addNews(note.signature, `${note.by} notes: ${note.text}`);
  }

  private addNews(signature: string, text: string): void {
    if (this.seen.has(signature)) return;
    this.seen.add(signature);
    this.news.push(text);
  }

  private publish(brain?: Brain): void {
    const { status, phase, resolution } = this.state;
    upsertSearchAttributes([
      { key: ticketKeys.status, value: status },
      { key: ticketKeys.phase, value: phase },
      { key: ticketKeys.resolution, value: resolution },
      ...(brain ? [{ key: ticketKeys.brain, value: brain }] : []),
    ]);
    const seen = this.failure.published;
    this.published = JSON.stringify(seen);
    upsertMemo({ ...ticketMemo(this.spec, this.state, this.joinedInvariants, seen) });
    this.describe();
  }

  private describe(): void {
    const { status, phase, resolution } = this.state;
    setCurrentDetails(`**${status}**${phase ? ` · ${phase}` : ''}${resolution ? ` · ${resolution}` : ''}`);
  }
}
