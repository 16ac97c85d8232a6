import { patched, workflowInfo } from '@temporalio/workflow';
import type { Json } from '../domain/json';
import type { AttemptCause, Brain, Escalation, TicketState } from '../domain/ticket';
import type { ToolResult } from '../domain/tool';
import type { Claim } from './agent-contract';
import type { CancelReason } from './contract';
import type { Change } from './failure-watch';

/** What a ticket's run hands to the next one when its history has grown long. */
export interface TicketCarry {
  /** Runs of the ticket before this one, 1 or more. */
  readonly earlierRuns: number;
  readonly record: RecordCarry;
  readonly attempt: Attempt;
  /** The attempt is over, and the ticket waits for a reason to begin the next one. */
  readonly isWaiting: boolean;
}

/** One attempt, and where it stands. */
export interface Attempt {
  readonly claim: Claim;
  readonly begunBy: AttemptCause;
  readonly claimedAtMs: number;
  turn: number;
  /** Who is at work, in the claim's order. */
  brainIndex: number;
  /** Where that brain goes on; null: it begins. */
  standing: {
    readonly left: number;
    readonly results: readonly ToolResult[];
    readonly notes: readonly string[];
    readonly memory: Json;
  } | null;
  readonly handOvers: string[];
  asked: Escalation | null;
}

/** See `TicketRecord`. */
export interface RecordCarry {
  readonly state: TicketState;
  readonly cancelReason: CancelReason | null;
  readonly hasEdited: boolean;
  readonly isHeldByPause: boolean;
  readonly recovered: boolean;
  readonly retry: boolean;
  readonly retryAt: number | null;
  readonly published: string;
  readonly brain: Brain | null;
  readonly earlierUsd: number;
  readonly attemptUsd: number;
  readonly joined: readonly string[];
  readonly seen: readonly string[];
  readonly news: readonly string[];
  readonly failure: FailureCarry;
}

/** See `FailureWatch`. */
export interface FailureCarry {
  readonly failure: AspectCarry;
  readonly service: AspectCarry;
  readonly begun: Readonly<Record<Change, number>>;
  readonly at: string;
}

export interface AspectCarry {
  readonly current: string | null;
  readonly known: string | null;
  readonly tried: readonly string[];
}

/** Temporal accepts 2 MB of input; this leaves room for everything else in it. */
const MAX_CHARS = 200_000;

/** The last of them that fit: evidence of weeks must not keep the next run from beginning. */
export function newestTexts(texts: readonly string[]): readonly string[] {
  let chars = 0;
  const from = texts.findLastIndex((text) => (chars += text.length) > MAX_CHARS);
  return texts.slice(from + 1);
}

/** Whether the server asks for another run. Nothing is noted in the history of a run that never comes to this. */
export function isHistoryLong(): boolean {
  return workflowInfo().continueAsNewSuggested && patched('continue-as-new');
}
