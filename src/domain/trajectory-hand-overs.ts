import type { Brain } from './ticket';
import type { TimelineEntry } from './trajectory';
import type { Turn } from './trajectory-turns';
import { reportOf } from './trajectory-turns';

/**
 * Which brain took over from which, and why: told where the ticket names its next brain, at the latest with that brain's
 * first turn. A new attempt begins with the first brain again, which is no hand-over.
 */
export class TrajectoryHandOvers {
  private last: Turn | null = null;
  /** Why the last turn was the last of its brain; null while nobody said so. */
  private reason: string | null = null;
  /** Place in the timeline of what was told about the last turn. */
  private told: number | null = null;

  constructor(private readonly timeline: TimelineEntry[]) {}

  giveReason(reason: string | null): void {
    this.reason = reason;
  }

  /** The ticket says who works on it from now on. */
  name(at: string, brain: Brain | null, attempt: number): void {
    this.tell({ at, brain, attempt });
  }

  /** A turn begins; `news` is what it is told, a hand-over first. */
  begin(turn: Turn, news: readonly string[]): void {
    this.tell({ at: turn.startedAt, brain: turn.brain, attempt: turn.attempt });
    this.explain(news);
    this.last = turn;
    this.reason = null;
    this.told = null;
  }

  private tell({ at, brain, attempt }: { at: string; brain: Brain | null; attempt: number }): void {
    const { last } = this;
    if (this.told !== null || brain === null || last === null) return;
    if (last.brain === null || last.brain === brain || last.attempt !== attempt) return;
    this.told = this.timeline.length;
    const title = `the ${brain} brain takes over from ${last.brain}`;
    const detail = this.reason ?? reportOf(last)?.reason ?? '';
    this.timeline.push({ at, kind: 'handed_over', title, detail, ok: null });
  }

  /** What no event of its own says, such as that all turns are spent. */
  private explain(news: readonly string[]): void {
    const entry = this.told === null ? undefined : this.timeline[this.told];
    if (this.told === null || entry?.detail !== '') return;
    this.timeline[this.told] = { ...entry, detail: news[0] ?? '' };
  }
}
