import { z } from 'zod';
import type { CallBreakerState } from './call-breaker';
import { recordCall, refuseRepeat } from './call-breaker';
import type { Json } from './json';
import type { ToolCall, ToolResult } from './tool';
import { mayHaveChangedSomething } from './tool';

/** What a model's brain keeps between turns beside its transcript: who goes round in circles is stopped. */
export interface LoopMemory {
  readonly breaker: CallBreakerState;
  /** Calls of the last turn, which the next results answer. */
  readonly calls: readonly ToolCall[];
  /** Turns in a row in which every call was refused as a repetition. */
  readonly repeats: number;
  /** Turns in a row with no call that any tool could take. */
  readonly nonsense: number;
  /** Turns in a row that ended without a call. */
  readonly idle: number;
  /** Starts and restarts of the service so far. */
  readonly starts: number;
}

const FRESH: LoopMemory = { breaker: {}, calls: [], repeats: 0, nonsense: 0, idle: 0, starts: 0 };
/** Calls whose results are remembered; a loop is shorter. */
const MAX_REMEMBERED = 12;
const MAX_REPEATS = 3;
const MAX_NONSENSE = 2;
const MAX_IDLE = 2;
/** As many as the runbook may make in an attempt. */
const MAX_STARTS = 4;

const call = z.object({ id: z.string(), name: z.string(), input: z.record(z.string(), z.json()) });
const stored = z.object({
  breaker: z.record(z.string(), z.object({ result: z.string(), times: z.number() })),
  calls: z.array(call),
  repeats: z.number(),
  nonsense: z.number().default(0),
  idle: z.number(),
  starts: z.number().default(0),
});

/** A memory of another version, or of another brain, is none. */
export function parseLoopMemory(memory: Json): LoopMemory {
  const parsed = stored.safeParse(memory);
  return parsed.success ? parsed.data : FRESH;
}

/** Takes in what came of the last turn's calls. */
export function noteResults(memory: LoopMemory, results: readonly ToolResult[]): LoopMemory {
  const breaker = memory.calls.reduce((state, asked) => {
    const result = results.find(({ callId }) => callId === asked.id);
    return result ? recordCall(state, asked, result) : state;
  }, memory.breaker);
  const remembered = Object.entries(breaker).slice(-MAX_REMEMBERED);
  const starts = memory.calls.filter(
    (asked) =>
      isStart(asked) &&
      results.some((result) => result.callId === asked.id && mayHaveChangedSomething(result)),
  );
  return {
    ...memory,
    breaker: Object.fromEntries(remembered),
    calls: [],
    starts: memory.starts + starts.length,
  };
}

function isStart({ name, input }: ToolCall): boolean {
  return name === 'service_control' && (input['action'] === 'start' || input['action'] === 'restart');
}

/** Parts the calls that may run from those that lead in circles, which are answered with advice. */
export function refuseRepeats(
  { breaker, starts }: LoopMemory,
  calls: readonly ToolCall[],
): { readonly running: readonly ToolCall[]; readonly refused: readonly ToolResult[] } {
  const judged = calls.map((asked) => ({
    asked,
    reason:
      isStart(asked) && starts >= MAX_STARTS
        ? `${starts} starts in this attempt did not help; find the cause, or hand over to a person with update_ticket_status {"status":"blocked"}.`
        : refuseRepeat(breaker, asked),
  }));
  return {
    running: judged.flatMap(({ asked, reason }) => (reason === null ? [asked] : [])),
    refused: judged.flatMap(({ asked, reason }) =>
      reason === null
        ? []
        : [{ callId: asked.id, tool: asked.name, isError: true, content: `Refused: ${reason}`, data: null }],
    ),
  };
}

/** Takes in what the turn asks for; `stuck` says why it is not worth another turn. */
export function noteAnswer(
  memory: LoopMemory,
  {
    running,
    isFinished,
    isNonsense = false,
  }: {
    readonly running: readonly ToolCall[];
    readonly isFinished: boolean;
    readonly isNonsense?: boolean;
  },
): { readonly memory: LoopMemory; readonly stuck: string | null } {
  const isRepeating = running.length === 0 && !isFinished;
  const next = {
    ...memory,
    calls: running,
    repeats: isRepeating ? memory.repeats + 1 : 0,
    nonsense: isNonsense ? memory.nonsense + 1 : 0,
    idle: isFinished ? memory.idle + 1 : 0,
  };
  if (next.nonsense >= MAX_NONSENSE) {
    return { memory: next, stuck: 'it calls what does not exist, or without what it needs' };
  }
  if (next.repeats >= MAX_REPEATS) return { memory: next, stuck: 'it repeats calls that were refused' };
  if (next.idle > MAX_IDLE) return { memory: next, stuck: 'it says that it is done, and it is not' };
  return { memory: next, stuck: null };
}
