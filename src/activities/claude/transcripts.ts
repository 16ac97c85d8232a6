import { LRUCache } from 'lru-cache';
import { openingText } from '../../domain/agent-prompt';
import { foldTrajectory } from '../../domain/fold-trajectory';
import type { HistoryEvent } from '../../domain/history-event';
import type { Json } from '../../domain/json';
import type { Redact } from '../../domain/redaction';
import type { Transcript, TranscriptMessage } from '../../domain/transcript';
import {
  extendTranscript,
  foldTranscript,
  isAnsweredBy,
  openCalls,
  openingTurn,
  userTurn,
} from '../../domain/transcript';
import type { ProposeInput } from '../../workflows/agent-contract';

export interface TranscriptDeps {
  /** Temporal's ID of the ticket's run: each begins a transcript of its own. */
  readonly runId: string;
  /** All events of the ticket, runs it continues included. */
  readonly readHistory: () => Promise<readonly HistoryEvent[]>;
  readonly redact: Redact;
}

/** What is sent for one turn. */
export interface NextRequest {
  readonly messages: readonly TranscriptMessage[];
  /** Set when a transcript begins with this turn. */
  readonly opening: string | null;
}

/** Transcripts kept beside the ones that are at work; each may hold a megabyte. */
const MAX_KEPT = 16;

/**
 * The transcripts of the tickets that this process works on. A cache: what is not in it is rebuilt from the ticket's own
 * history, so that any agent can go on after any other.
 */
export class Transcripts {
  private readonly kept = new LRUCache<string, Transcript>({ max: MAX_KEPT });

  /** Messages for the next turn. A transcript begins anew when it began with another version of prompt, tools or model. */
  async next(input: ProposeInput, version: string, deps: TranscriptDeps): Promise<NextRequest> {
    const key = keyOf(deps.runId, input);
    const kept = this.kept.get(key);
    if (kept && isContinuedBy(kept, input) && kept.version === version) return goOn(kept, input);
    const events = await deps.readHistory();
    const told = foldTranscript(events, input.attempt);
    if (told && isAnsweredBy(told, input) && told.version === version) {
      this.kept.set(key, told);
      return goOn(told, input);
    }
    const { attempt, begunBy = 'opened', results, notes } = input;
    const trajectory = foldTrajectory(events);
    const opening = deps.redact(openingText({ trajectory, attempt, begunBy, results, notes }));
    return { messages: [openingTurn(opening)], opening };
  }

  /** Notes the reply, for the next turn. */
  keep(
    runId: string,
    input: ProposeInput,
    reply: { readonly version: string; readonly opening: string | null; readonly content: readonly Json[] },
  ): void {
    const key = keyOf(runId, input);
    const before = this.kept.get(key) ?? null;
    if (reply.opening === null && before?.turn !== input.turn - 1) return;
    this.kept.set(key, extendTranscript(before, input, reply));
  }
}

function goOn(transcript: Transcript, { results, notes }: ProposeInput): NextRequest {
  return { messages: [...transcript.messages, userTurn(results, notes)], opening: null };
}

/**
 * Whether the workflow took the very reply that is kept here: another try of the same turn may have been faster. A reply
 * without calls cannot be told from another one.
 */
function isContinuedBy(kept: Transcript, input: ProposeInput): boolean {
  return openCalls(kept).length > 0 && isAnsweredBy(kept, input);
}

function keyOf(runId: string, { attempt }: ProposeInput): string {
  return `${runId}/${attempt}`;
}
