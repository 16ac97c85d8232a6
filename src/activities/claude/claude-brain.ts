import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type Anthropic from '@anthropic-ai/sdk';
import type { Logger } from 'pino';
import type { HistoryReader } from '../../client/ticket-history';
import type { HarnessConfig } from '../../config/config';
import { errorText } from '../../config/error-text';
import { promptVersion, SYSTEM_PROMPT } from '../../domain/agent-prompt';
import type { ModelSpend } from '../../domain/budget';
import { exceededLimit } from '../../domain/budget';
import { FAILURES } from '../../domain/failures';
import type { Json } from '../../domain/json';
import type { ModelAnswer } from '../../domain/model-answer';
import { readAnswer } from '../../domain/model-answer';
import type { LoopMemory } from '../../domain/model-memory';
import { noteAnswer, noteResults, parseLoopMemory, refuseRepeats } from '../../domain/model-memory';
import type { ModelUsage } from '../../domain/model-prices';
import { costOf, countTokens } from '../../domain/model-prices';
import type { Redact } from '../../domain/redaction';
import type { ModelTurn, Proposal, ToolResult } from '../../domain/tool';
import { isWellFormed, TOOL_SCHEMAS } from '../../domain/tool-schemas';
import type { TranscriptMessage } from '../../domain/transcript';
import type { ProposeInput } from '../../workflows/agent-contract';
import { whileHeartbeating } from '../heartbeat';
import type { BrainTurn } from '../propose-step';
import { buildRequest } from './build-request';
import type { CallClaude } from './call-claude';
import { detailsOf } from './call-claude';
import type { SpendLedger } from './spend-ledger';
import { Transcripts } from './transcripts';

export interface ClaudeBrainDeps {
  readonly call: CallClaude;
  readonly agent: Pick<HarnessConfig['agent'], 'model' | 'effort' | 'profile' | 'budget'>;
  readonly ledger: SpendLedger;
  readonly readHistory: HistoryReader;
  readonly redact: Redact;
  readonly log: Pick<Logger, 'warn'>;
}

const MAX_TOKENS = 16_000;
/** For another try after an answer that did not fit. */
const MORE_TOKENS = 48_000;
/** A server that asks to wait longer is not waited for: the next brain takes over. */
const MAX_WAIT_MS = 15_000;
/** A connection that gave no whole answer so often gives none. */
const MAX_UNREACHABLE = 2;

/**
 * Claude as a brain: one call to the model per turn. Throws ApplicationFailure of a type of `classifyModelFailure`, or
 * UselessAnswer; what trying again does not help is non-retryable. Out of budget or refused by the model, it hands over.
 */
export function createClaudeBrain(deps: ClaudeBrainDeps): BrainTurn {
  const transcripts = new Transcripts();
  const { model: name, profile } = deps.agent;
  const version = promptVersion({ name, profile });
  return (input) =>
    whileHeartbeating(async (signal) => {
      const memory = noteResults(parseLoopMemory(input.memory), input.results);
      const spent = await deps.ledger.ofAttempt(input.ticket.ticketId, input.attempt);
      const exceeded = await explainBudget(deps, input, spent);
      if (exceeded !== null) return move(memory, '', { handOver: exceeded });
      const { workflowId, runId } = ownRun();
      const { messages, opening } = await transcripts.next(input, version, {
        runId,
        readHistory: () => deps.readHistory(workflowId, runId),
        redact: deps.redact,
      });
      const bill = { usd: spent.usd };
      const { message, requestId } = await callModel(deps, input, { messages, bill, signal });
      const proposal = propose(readAnswer(message), memory, bill.usd);
      const content = message.content.map(toJson);
      transcripts.keep(runId, input, { version, opening, content });
      const model: ModelTurn = {
        name,
        version,
        opening,
        content,
        stopReason: message.stop_reason,
        requestId,
        tokens: countTokens(message.usage),
        usd: costOf(name, message.usage),
        attemptUsd: bill.usd,
      };
      return { ...proposal, model };
    });
}

function ownRun(): { readonly workflowId: string; readonly runId: string } {
  const { workflowExecution: run } = Context.current().info;
  if (!run) throw ApplicationFailure.nonRetryable('a turn belongs to a ticket', FAILURES.invalidInput);
  return run;
}

const LIMIT_NAMES = {
  usd: 'agent.budget.usd',
  tokens: 'agent.budget.tokens',
  wallClockMs: 'agent.budget.wall_clock',
  usdPerDay: 'agent.budget.usd_per_day',
} as const;

/** Why no further turn may be asked for; null while there is room. */
async function explainBudget(
  { ledger, agent }: ClaudeBrainDeps,
  { workedMs = 0 }: ProposeInput,
  spent: ModelSpend,
): Promise<string | null> {
  const limit = exceededLimit({ ...spent, workedMs, todayUsd: await ledger.today() }, agent.budget);
  return limit === null ? null : `the budget is spent (${LIMIT_NAMES[limit]})`;
}

/** `bill`: what the attempt has cost; what this call costs is added, also when it fails. */
async function callModel(
  deps: ClaudeBrainDeps,
  input: ProposeInput,
  {
    messages,
    bill,
    signal,
  }: {
    readonly messages: readonly TranscriptMessage[];
    readonly bill: { usd: number };
    readonly signal: AbortSignal;
  },
): ReturnType<CallClaude> {
  const { model, effort, profile } = deps.agent;
  const context = Context.current();
  const record = async (usage: ModelUsage | null): Promise<void> => {
    if (usage === null) return;
    bill.usd += costOf(model, usage) ?? 0;
    try {
      const { ticketId } = input.ticket;
      await deps.ledger.record({ ticketId, attempt: input.attempt, model, usage });
    } catch (error) {
      // A budget that cannot be kept is none: another try would be paid as well, and not be counted either.
      throw ApplicationFailure.nonRetryable(
        `what the call cost could not be written down: ${errorText(error)}`,
        FAILURES.storage,
      );
    }
  };
  const request = buildRequest({
    profile,
    model,
    effort,
    maxTokens: context.info.attempt === 1 ? MAX_TOKENS : MORE_TOKENS,
    system: SYSTEM_PROMPT,
    tools: TOOL_SCHEMAS,
    messages: messages.map(toParam),
    format: null,
  });
  try {
    const reply = await deps.call(request, {
      signal,
      onEvent: () => context.heartbeat(),
      onAbandoned: record,
    });
    await record(reply.message.usage);
    return reply;
  } catch (error) {
    await record(detailsOf(error).usage);
    if (!(error instanceof ApplicationFailure)) throw error;
    deps.log.warn(
      { err: error, ticket: input.ticket.ticketId, turn: input.turn },
      'the model gave no answer',
    );
    throw toTurnFailure(error, { attempt: context.info.attempt, attemptUsd: bill.usd });
  }
}

/** The same failure, for the ticket: with advice and cost, and not tried again where that is no use. */
function toTurnFailure(
  failure: ApplicationFailure,
  { attempt, attemptUsd }: { readonly attempt: number; readonly attemptUsd: number },
): ApplicationFailure {
  const { message, type } = failure;
  const { advice, requestId, retryAfterMs } = detailsOf(failure);
  const request = requestId === null ? '' : ` (request ${requestId})`;
  const isFinal = failure.nonRetryable === true || !isWorthAnotherTry(type, retryAfterMs, attempt);
  return ApplicationFailure.create({
    message: advice === '' ? message : `${message}${request}. ${advice}`,
    nonRetryable: isFinal,
    details: [{ attemptUsd }],
    ...(type ? { type } : {}),
    ...(isFinal || retryAfterMs === null ? {} : { nextRetryDelay: retryAfterMs }),
  });
}

/** As it goes into history, and comes back from there. */
function toJson(block: Anthropic.ContentBlock): Json {
  return JSON.parse(JSON.stringify(block)) as Json;
}

/** Its blocks came from the API, or were made for it. */
function toParam({ role, content }: TranscriptMessage): Anthropic.MessageParam {
  const blocks: unknown = content;
  return { role, content: blocks as Anthropic.ContentBlockParam[] };
}

function isWorthAnotherTry(type: string | null | undefined, waitMs: number | null, attempt: number): boolean {
  return (waitMs ?? 0) <= MAX_WAIT_MS && (type !== FAILURES.claudeUnreachable || attempt < MAX_UNREACHABLE);
}

/** What a reply makes the loop do. Throws UselessAnswer for a reply that nothing can be done with. */
function propose(answer: ModelAnswer, memory: LoopMemory, attemptUsd: number): Proposal {
  switch (answer.kind) {
    case 'calls': {
      const { running, refused } = refuseRepeats(memory, answer.calls);
      const isNonsense = !answer.asked.some(isWellFormed);
      const noted = noteAnswer(memory, { running, isFinished: false, isNonsense });
      if (noted.stuck !== null) return move(noted.memory, textOf(answer), { handOver: noted.stuck });
      const unrun = answer.unrun.map(({ id, name, reason }) => toError(id, name, reason));
      return move(noted.memory, textOf(answer), { calls: running, unrun: [...refused, ...unrun] });
    }
    case 'finished': {
      const noted = noteAnswer(memory, { running: [], isFinished: true });
      const next = noted.stuck === null ? { isFinished: true } : { handOver: noted.stuck };
      return move(noted.memory, textOf(answer), next);
    }
    case 'truncated':
      if (answer.why === 'max_tokens')
        throw uselessAnswer('the answer was cut off at its token limit', attemptUsd);
      return move(memory, textOf(answer), { handOver: 'the transcript no longer fits the model' });
    case 'refused': {
      const why = [answer.category ?? 'no category', answer.explanation].filter((part) => part !== '');
      return move(memory, '', { handOver: `the model refused (${why.join(': ')})` });
    }
    case 'unknown':
      throw uselessAnswer(`${answer.detail} (stop reason ${answer.stopReason ?? 'none'})`, attemptUsd);
  }
}

function move(memory: LoopMemory, text: string, what: Partial<Proposal>): Proposal {
  return {
    brain: 'claude',
    text,
    calls: [],
    memory: { ...memory, breaker: { ...memory.breaker }, calls: memory.calls.map((call) => ({ ...call })) },
    ...what,
  };
}

/** What it says; a model that only thinks aloud has said that. */
function textOf({ text, thinking }: { readonly text: string; readonly thinking: string }): string {
  return text === '' ? thinking : text;
}

function toError(callId: string, tool: string, content: string): ToolResult {
  return { callId, tool, isError: true, content, data: null };
}

/** Tried once more: a model may do better, and with more room. */
function uselessAnswer(message: string, attemptUsd: number): ApplicationFailure {
  const isLast = Context.current().info.attempt > 1;
  return ApplicationFailure.create({
    type: FAILURES.uselessAnswer,
    message,
    nonRetryable: isLast,
    details: [{ attemptUsd }],
  });
}
