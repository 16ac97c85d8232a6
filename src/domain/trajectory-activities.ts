import type { HistoryEvent, RecordedFailure } from './history-event';
import type { Json } from './json';
import type { Brain, TicketNote } from './ticket';
import { isToolName } from './tool';
import { TrajectoryHandOvers } from './trajectory-hand-overs';
import type {
  RunningActivity,
  TimelineEntry,
  TimelineKind,
  TrajectoryCall,
  TrajectoryVerification,
} from './trajectory';
import {
  readClaim,
  readDecision,
  readProof,
  readProposal,
  readProposeInput,
  readReplyCalls,
  readText,
  readToolResult,
} from './trajectory-payloads';
import type { Mutable, Turn } from './trajectory-turns';
import { answerTurn, describeAnswer, describeCall, TrajectoryTurns } from './trajectory-turns';

export type ActivityEvent = Extract<HistoryEvent, { type: `activity_${string}` }>;
type Of<T extends HistoryEvent['type']> = Extract<HistoryEvent, { type: T }>;

/** What an activity does to the story when it ends. */
interface Open extends RunningActivity {
  readonly title: string;
  readonly kind: TimelineKind;
  readonly succeed: (at: string, result: Json) => void;
  readonly fail: (at: string, failure: RecordedFailure) => void;
}

const MAX_DETAIL = 500;

/** Turns, calls, proofs: what the activities of a ticket's run tell, in the order of history. */
export class TrajectoryActivities {
  readonly turns = new TrajectoryTurns();
  readonly verifications: Mutable<TrajectoryVerification>[] = [];
  claimedAt: string | null = null;
  brain: Brain | null = null;
  readonly handOvers: TrajectoryHandOvers;
  private readonly open = new Map<number, Open>();

  constructor(
    private readonly timeline: TimelineEntry[],
    private readonly notes: TicketNote[],
  ) {
    this.handOvers = new TrajectoryHandOvers(timeline);
  }

  apply(event: ActivityEvent): void {
    if (event.type === 'activity_scheduled') {
      this.open.set(event.id, this.begin(event));
      return;
    }
    const open = this.open.get(event.scheduledId);
    if (!open) return;
    if (event.type === 'activity_started') return this.sayRetried(event, open);
    this.open.delete(event.scheduledId);
    switch (event.type) {
      case 'activity_completed':
        return open.succeed(event.at, event.result);
      case 'activity_failed':
      case 'activity_timed_out':
        open.fail(event.at, event.failure);
        return this.say(
          event.at,
          event.type,
          failedTitle(open.title, event.type),
          explain(event.failure),
          false,
        );
      case 'activity_canceled':
        open.fail(event.at, { message: 'cancelled', type: 'Cancelled', details: [], cause: null });
        return this.say(event.at, event.type, `${open.title}: cancelled`, '', null);
    }
  }

  /** Ordered and not ended, oldest first, each with the line that the timeline shows for it. */
  running(): readonly (RunningActivity & { readonly entry: TimelineEntry })[] {
    return [...this.open.values()].map((open) => ({
      ...open,
      entry: { at: open.since, kind: open.kind, title: open.title, detail: 'running', ok: null },
    }));
  }

  /** Activities of a run that ended do not go on in the next one. */
  forgetOpen(): void {
    this.open.clear();
  }

  private begin(event: Of<'activity_scheduled'>): Open {
    const [input] = event.input;
    const base = {
      activity: event.activity,
      queue: event.queue,
      summary: event.summary,
      since: event.at,
      fail: () => undefined,
    };
    if (isToolName(event.activity)) return { ...base, ...this.beginTool(event, input) };
    switch (event.activity) {
      case 'claimTicket':
        return {
          ...base,
          kind: 'claimed',
          title: 'an agent takes the ticket',
          succeed: (at, result) => this.claim(at, result),
        };
      case 'proposeStep':
        return { ...base, ...this.beginTurn(event, input) };
      case 'decide':
        return { ...base, ...this.beginDecision(event, input) };
      case 'verifyRecovery':
        return { ...base, ...this.beginProof(event) };
      case 'archiveTicket':
        return { ...base, kind: 'archived', title: 'keep the trajectory', succeed: () => undefined };
      case 'keepRun':
        return { ...base, kind: 'archived', title: 'keep the history so far', succeed: () => undefined };
      default:
        return { ...base, kind: 'tool', title: event.activity, succeed: () => undefined };
    }
  }

  private claim(at: string, result: Json): void {
    const claim = readClaim(result);
    this.claimedAt ??= at;
    this.brain = claim?.brain ?? this.brain;
    this.say(
      at,
      'claimed',
      `taken by ${claim?.agent || 'an agent'}`,
      `brain: ${claim?.brain ?? 'unknown'}`,
      null,
    );
  }

  private beginTurn(
    event: Of<'activity_scheduled'>,
    input: Json | undefined,
  ): Omit<Open, keyof RunningActivity> {
    const asked = readProposeInput(input);
    const turn: Turn = {
      turn: asked?.turn || this.turns.list.length + 1,
      attempt: asked?.attempt ?? 1,
      brain: asked?.brain ?? this.brain,
      model: null,
      text: '',
      startedAt: event.at,
      endedAt: null,
      calls: [],
    };
    this.turns.list.push(turn);
    this.handOvers.begin(turn, asked?.notes ?? []);
    const title = `turn ${turn.turn}: the ${turn.brain ?? 'unknown'} brain thinks`;
    const succeed = (at: string, result: Json) => {
      const proposal = readProposal(result);
      turn.endedAt = at;
      if (proposal) answerTurn(turn, proposal, readReplyCalls(result) ?? []);
      const line = describeAnswer(turn, proposal);
      this.say(at, 'proposed', line.title, line.detail, null);
      for (const call of turn.calls) if (call.decision) this.sayDecided(at, call);
      this.handOvers.giveReason(proposal?.handOver ?? null);
    };
    const fail = (at: string, failure: RecordedFailure) => {
      turn.endedAt = at;
      this.handOvers.giveReason(explain(failure));
    };
    return { kind: 'proposed', title, succeed, fail };
  }

  private beginDecision(
    event: Of<'activity_scheduled'>,
    input: Json | undefined,
  ): Pick<Open, 'kind' | 'title' | 'succeed'> {
    const entry = this.turns.callOf(event, input, this.brain);
    const succeed = (at: string, result: Json) => {
      entry.decision = readDecision(result);
      this.sayDecided(at, entry);
    };
    return { kind: 'decided', title: `may ${entry.call.name} run?`, succeed };
  }

  private sayDecided(at: string, { call, decision }: TrajectoryCall): void {
    const isAllowed = decision?.verdict === 'allow';
    const detail = [decision?.rule ?? '', decision?.reason ?? ''].filter((text) => text !== '').join(': ');
    this.say(at, 'decided', `${call.name} ${isAllowed ? 'allowed' : 'refused'}`, detail, isAllowed);
  }

  private beginTool(
    event: Of<'activity_scheduled'>,
    input: Json | undefined,
  ): Omit<Open, keyof RunningActivity> {
    const entry = this.turns.callOf(event, input, this.brain);
    const title = describeCall(entry.call);
    entry.startedAt = event.at;
    const succeed = (at: string, result: Json) => {
      entry.endedAt = at;
      entry.result = readToolResult(result);
      const isError = entry.result?.isError ?? true;
      this.say(at, 'tool', title, entry.result?.content ?? 'the result cannot be read', !isError);
      if (event.activity !== 'add_ticket_note' || isError) return;
      const text = readText(entry.call.input['text']) ?? readText(entry.call.input['note']);
      if (text !== null) this.notes.push({ at, by: this.brain ?? 'agent', text });
    };
    const fail = (at: string, failure: RecordedFailure) => {
      entry.endedAt = at;
      entry.failure = failure;
    };
    return { kind: 'tool', title, succeed, fail };
  }

  private beginProof(event: Of<'activity_scheduled'>): Omit<Open, keyof RunningActivity> {
    const proof: Mutable<TrajectoryVerification> = {
      startedAt: event.at,
      endedAt: null,
      recovered: null,
      successes: 0,
      failing: [],
      failure: null,
    };
    this.verifications.push(proof);
    const succeed = (at: string, result: Json) => {
      const answer = readProof(result);
      proof.endedAt = at;
      proof.recovered = answer?.recovered ?? null;
      proof.successes = answer?.successes ?? 0;
      proof.failing = answer?.failing ?? [];
      const failing = proof.failing
        .map((check) => `${check.invariantId}: ${check.error ?? 'fails'}`)
        .join('; ');
      const detail = proof.recovered ? `holds ${proof.successes} times in a row` : failing;
      this.say(
        at,
        'verified',
        proof.recovered ? 'recovery proven' : 'not recovered',
        detail,
        proof.recovered,
      );
    };
    const fail = (at: string, failure: RecordedFailure) => {
      proof.endedAt = at;
      proof.failure = failure;
    };
    return { kind: 'verified', title: event.summary ?? 'proof of recovery', succeed, fail };
  }

  private sayRetried(event: Of<'activity_started'>, open: Open): void {
    if (event.attempt <= 1) return;
    const why = event.lastFailure ? explain(event.lastFailure) : '';
    this.say(event.at, 'activity_retried', `${open.title}: try ${event.attempt}`, why, null);
  }

  private say(at: string, kind: TimelineKind, title: string, detail: string, ok: boolean | null): void {
    this.timeline.push({ at, kind, title, detail: detail.slice(0, MAX_DETAIL), ok });
  }
}

function failedTitle(title: string, type: 'activity_failed' | 'activity_timed_out'): string {
  return type === 'activity_failed' ? `${title}: failed` : `${title}: timed out`;
}

function explain(failure: RecordedFailure): string {
  const own = failure.type?.startsWith('Timeout:') ? failure.type.slice('Timeout:'.length) : failure.message;
  return failure.cause ? `${own}: ${explain(failure.cause)}` : own;
}
