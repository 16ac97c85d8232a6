import type { HistoryEvent } from './history-event';
import { TrajectoryActivities } from './trajectory-activities';
import { readEvidence, readHint, readNote, readPerson, readTicket, readVerdict } from './trajectory-payloads';
import { TrajectoryStatus } from './trajectory-status';
import type { RunState, TimelineEntry, Trajectory } from './trajectory';
import type { CheckResult } from './check';
import type { TicketNote, TicketSpec } from './ticket';

type Of<T extends HistoryEvent['type']> = Extract<HistoryEvent, { type: T }>;

/** The story of one ticket, from its history. Total: unknown events and unreadable payloads are left out, never guessed. */
export function foldTrajectory(events: readonly HistoryEvent[]): Trajectory {
  const fold = new TrajectoryFold();
  for (const event of events) fold.apply(event);
  return fold.result();
}

class TrajectoryFold {
  private readonly timeline: TimelineEntry[] = [];
  private readonly status = new TrajectoryStatus(this.timeline);
  private readonly notes: TicketNote[] = [];
  private readonly activities = new TrajectoryActivities(this.timeline, this.notes);
  private readonly later: { at: string; check: CheckResult }[] = [];
  private readonly signatures = new Set<string>();
  private ticket: TicketSpec | null = null;
  private run: RunState = 'running';
  private workflowId = '';
  private runId = '';
  private openedAt: string | null = null;
  private runStartedAt: string | null = null;

  apply(event: HistoryEvent): void {
    switch (event.type) {
      case 'started':
        return this.start(event);
      case 'search_attributes_upserted':
        return this.publish(event);
      case 'memo_upserted':
        return this.status.applyMemo(event.at, event.memo, this.activities.turns.lastReport());
      case 'activity_scheduled':
      case 'activity_started':
      case 'activity_completed':
      case 'activity_failed':
      case 'activity_timed_out':
      case 'activity_canceled':
        return this.activities.apply(event);
      case 'signaled':
        return this.signal(event);
      case 'cancel_requested':
        return this.say(event, 'cancel_requested', 'cancellation requested', event.cause);
      case 'workflow_task_failed':
        return this.say(event, 'workflow_problem', 'the workflow cannot go on', event.failure.message, false);
      case 'completed':
        return this.end(event.at, 'completed', 'the workflow ended');
      case 'failed':
        return this.end(event.at, 'failed', `the workflow failed, which is a bug: ${event.failure.message}`);
      case 'timed_out':
        return this.end(event.at, 'timed_out', 'the workflow timed out');
      case 'canceled':
        return this.end(event.at, 'canceled', 'the workflow was cancelled before it could close the ticket');
      case 'terminated':
        return this.end(event.at, 'terminated', `terminated by ${event.by}: ${event.reason || 'no reason'}`);
      case 'continued_as_new':
      case 'update_accepted':
      case 'other':
        return;
    }
  }

  result(): Trajectory {
    const status = this.status.now();
    // Archiving goes on after the ticket has closed; that is no longer part of its story.
    const isOver = this.run !== 'running' || status.closedAt !== null;
    const running = isOver ? [] : this.activities.running();
    return {
      workflowId: this.workflowId,
      runId: this.runId,
      run: this.run,
      ticket: this.ticket,
      ...status,
      claimedAt: this.activities.claimedAt,
      brain: this.status.brain ?? this.activities.brain,
      openedAt: this.openedAt,
      runStartedAt: this.runStartedAt,
      turns: this.activities.turns.list,
      verifications: this.activities.verifications,
      notes: this.notes,
      evidence: { initial: this.ticket?.evidence ?? [], later: this.later },
      running: running.map(({ activity, queue, summary, since }) => ({ activity, queue, summary, since })),
      timeline: [...this.timeline, ...running.map((open) => open.entry)],
    };
  }

  private start(event: Of<'started'>): void {
    this.workflowId = event.workflowId;
    this.runId = event.runId;
    this.runStartedAt = event.at;
    this.run = 'running';
    this.activities.forgetOpen();
    const isFirst = this.openedAt === null;
    this.openedAt ??= event.at;
    this.ticket = readTicket(event.input[0]) ?? this.ticket;
    if (isFirst) this.open(event.at);
    this.status.applySearchAttributes(event.at, event.searchAttributes);
    this.status.applyMemo(event.at, event.memo, null);
  }

  private open(at: string): void {
    const ticket = this.ticket;
    if (ticket) {
      const detail = ticket.firstCheck?.error ?? '';
      const title = `${ticket.invariantId} fails`;
      this.timeline.push({ at: ticket.detectedAt || at, kind: 'detected', title, detail, ok: false });
      this.status.join(ticket.joinedInvariants);
    }
    this.timeline.push({
      at,
      kind: 'opened',
      title: 'ticket opened',
      detail: ticket?.objective ?? '',
      ok: null,
    });
  }

  private publish({ at, searchAttributes }: Of<'search_attributes_upserted'>): void {
    const before = this.status.brain;
    this.status.applySearchAttributes(at, searchAttributes);
    const { brain, attempt } = this.status;
    if (brain !== before) this.activities.handOvers.name(at, brain, attempt);
  }

  private signal(event: Of<'signaled'>): void {
    const [input] = event.input;
    switch (event.signal) {
      case 'evidence': {
        const evidence = readEvidence(input);
        if (!evidence || this.isRepeated(evidence.signature)) return;
        this.later.push({ at: event.at, check: evidence.check });
        const { invariantId, ok, error } = evidence.check;
        if (invariantId !== this.ticket?.invariantId) this.status.join([invariantId]);
        return this.say(event, 'evidence', `${invariantId} ${ok ? 'holds' : 'fails'}`, error ?? '', ok);
      }
      case 'note': {
        const note = readNote(input);
        if (!note || this.isRepeated(note.signature)) return;
        this.notes.push({ at: note.at || event.at, by: note.by, text: note.text });
        return this.say(event, 'note', `note by ${note.by}`, note.text);
      }
      case 'verdict': {
        const verdict = readVerdict(input);
        if (!verdict || this.isRepeated(verdict.signature)) return;
        return this.say(event, 'verdict', `late verdict by ${nameOf(verdict.by)}`, verdict.text);
      }
      case 'recovered':
        return this.say(
          event,
          'recovered_hint',
          `${readHint(input)?.invariantId ?? 'it'} holds again`,
          '',
          true,
        );
      case 'cancel_reason': {
        const reason = readPerson(input);
        return this.say(
          event,
          'cancel_requested',
          `${reason?.mode || 'cancel'} by ${reason?.by ?? '?'}`,
          reason?.reason,
        );
      }
      case 'retry': {
        const reason = readPerson(input);
        return this.say(event, 'retry_requested', `retry asked by ${reason?.by ?? '?'}`, reason?.reason);
      }
      default:
        return;
    }
  }

  private end(at: string, run: RunState, detail: string): void {
    this.run = run;
    this.status.runEnded(at, detail);
  }

  private say(
    event: HistoryEvent,
    kind: TimelineEntry['kind'],
    title: string,
    detail = '',
    ok: boolean | null = null,
  ): void {
    this.timeline.push({ at: event.at, kind, title, detail, ok });
  }

  private isRepeated(signature: string): boolean {
    if (signature === '') return false;
    if (this.signatures.has(signature)) return true;
    this.signatures.add(signature);
    return false;
  }
}

/** Whoever is shown to people as the one who said something. */
function nameOf(by: string): string {
  return by === 'claude' ? 'Claude' : by;
}
