import type Anthropic from '@anthropic-ai/sdk';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { analystMessage, ANALYST_SYSTEM, askForJson } from '../domain/analyst-prompt';
import type { AnalystAnswer, AskAnalystInput } from '../domain/analyst-rules';
import { FAILURES } from '../domain/failures';
import { readAnswer } from '../domain/model-answer';
import type { ModelUsage } from '../domain/model-prices';
import { costOf } from '../domain/model-prices';
import { toAnalystAnswer } from '../domain/model-verdict';
import type { Redact } from '../domain/redaction';
import { stripInvisible } from '../domain/untrusted-text';
import { parseVerdict, VERDICT_JSON_SCHEMA } from '../domain/verdict-schema';
import type { MonitorActivities } from '../workflows/contract';
import type { ClaudeRequest } from './claude/build-request';
import { buildRequest } from './claude/build-request';
import type { CallClaude } from './claude/call-claude';
import { detailsOf } from './claude/call-claude';
import type { SpendLedger } from './claude/spend-ledger';
import { whileHeartbeating } from './heartbeat';

/** Thinking counts too. */
const MAX_TOKENS = 8_000;
/** A storm of failures must not become a storm of calls; the rules answer for the rest. */
const MAX_AT_ONCE = 8;
/** Between two tries when the API names no time. */
const RETRY_MS = 500;

export interface AskAnalystDeps extends Pick<ClaudeRequest, 'profile' | 'model' | 'effort'> {
  readonly call: CallClaude;
  readonly ledger: Pick<SpendLedger, 'record' | 'today'>;
  /** Of all tickets and analyses; beyond, no model is asked. */
  readonly usdPerDay: number;
  readonly redact: Redact;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Ends the call; shorter than the activity's own time. */
  readonly limitMs: number;
}

/**
 * The activity `askAnalyst`: one call, one verdict. Null deps: no model acts. Throws only failures that another try may still
 * mend before the ticket opens; everything else is an answer without a verdict, and the rules' verdict holds.
 */
export function createAskAnalyst(deps: AskAnalystDeps | null): MonitorActivities['askAnalyst'] {
  let atWork = 0;
  return async (input) => {
    if (!deps) return none('no model acts with the present configuration');
    if (atWork >= MAX_AT_ONCE) return none(`${MAX_AT_ONCE} failures are being analysed already`);
    atWork += 1;
    try {
      return await whileHeartbeating((cancelled) => ask(deps, input, cancelled));
    } finally {
      atWork -= 1;
    }
  };
}

async function ask(
  deps: AskAnalystDeps,
  input: AskAnalystInput,
  cancelled: AbortSignal,
): Promise<AnalystAnswer> {
  if ((await deps.ledger.today()) >= deps.usdPerDay) {
    return giveUp(deps, input, 'the budget of the day is spent (agent.budget.usd_per_day)');
  }
  const limit = AbortSignal.timeout(deps.limitMs);
  try {
    const { message } = await deps.call(requestOf(deps, input), {
      signal: AbortSignal.any([cancelled, limit]),
      onEvent: () => undefined,
      onAbandoned: (usage) => record(deps, input, usage),
    });
    await record(deps, input, message.usage);
    return withCost(read(deps, input, message), costOf(deps.model, message.usage));
  } catch (error) {
    if (cancelled.aborted) await Context.current().cancelled;
    if (limit.aborted) return giveUp(deps, input, `no verdict within ${deps.limitMs} ms`);
    if (!(error instanceof ApplicationFailure)) throw error;
    await record(deps, input, detailsOf(error).usage);
    return retryOrGiveUp(deps, input, error);
  }
}

function withCost(answer: AnalystAnswer, usd: number | null): AnalystAnswer {
  return answer.verdict === null || usd === null
    ? answer
    : { ...answer, verdict: { ...answer.verdict, usd } };
}

/** What cannot be written down must not cost the verdict that has been paid. */
async function record(
  { ledger, log, model }: AskAnalystDeps,
  { evidence: { ticketId } }: AskAnalystInput,
  usage: ModelUsage | null,
): Promise<void> {
  if (usage === null) return;
  try {
    await ledger.record({ ticketId, attempt: null, model, usage });
  } catch (error) {
    log.error({ err: error, usage }, 'the cost of an analysis could not be written down');
  }
}

function requestOf(deps: AskAnalystDeps, { incident, evidence }: AskAnalystInput) {
  const { profile, model, effort } = deps;
  const isFull = profile === 'full';
  const facts = deps.redact(analystMessage(incident, evidence));
  return buildRequest({
    profile,
    model,
    effort,
    maxTokens: MAX_TOKENS,
    system: ANALYST_SYSTEM,
    tools: [],
    messages: [{ role: 'user', content: isFull ? facts : `${facts}\n\n${askForJson(VERDICT_JSON_SCHEMA)}` }],
    format: isFull ? VERDICT_JSON_SCHEMA : null,
  });
}

/** Throws what may be mended by asking once more. */
function read(deps: AskAnalystDeps, input: AskAnalystInput, message: Anthropic.Message): AnalystAnswer {
  const answer = readAnswer(message);
  switch (answer.kind) {
    case 'finished':
      return readText(deps, input, answer.text);
    case 'refused':
      return giveUp(deps, input, `the model declined to answer (${answer.category ?? 'no category'})`);
    case 'truncated':
      if (answer.why === 'context_window') {
        return giveUp(deps, input, 'the evidence does not fit into the model');
      }
      throw uselessAnswer(`the answer was cut off after ${MAX_TOKENS} tokens`);
    case 'calls':
      throw uselessAnswer('the answer calls tools, and none was offered');
    case 'unknown':
      throw uselessAnswer(`the answer cannot be read: ${answer.detail}`);
  }
}

function readText(deps: AskAnalystDeps, input: AskAnalystInput, text: string): AnalystAnswer {
  const parsed = parseVerdict(text);
  if (!parsed.ok) throw uselessAnswer(`the answer is no verdict: ${deps.redact(parsed.problem)}`);
  const answer = toAnalystAnswer(parsed.verdict, {
    evidenceIds: input.evidence.items.map(({ id }) => id),
    forceOpenAfterMs: input.rules.forceOpenAfterMs,
    clean: (part) => deps.redact(stripInvisible(part)),
  });
  if (answer.verdict && !answer.verdict.createTicket) {
    const { reason } = answer.verdict;
    deps.log.info({ invariant: input.incident.invariantId }, `the analyst wants no ticket: ${reason}`);
  }
  return answer;
}

/** Another try is only worth it when it can begin before the ticket opens; a useless answer gets one. */
function retryOrGiveUp(
  deps: AskAnalystDeps,
  input: AskAnalystInput,
  failure: ApplicationFailure,
): AnalystAnswer {
  const { attempt } = Context.current().info;
  const isUseless = failure.type === FAILURES.uselessAnswer;
  const waitMs = isUseless ? 1 : (detailsOf(failure).retryAfterMs ?? RETRY_MS * attempt);
  const leftMs = Date.parse(input.openBy) - deps.now().getTime();
  const mayRetry = failure.nonRetryable !== true && waitMs < leftMs && !(isUseless && attempt > 1);
  if (!mayRetry) return giveUp(deps, input, failure.message, failure);
  throw ApplicationFailure.create({
    message: failure.message,
    nextRetryDelay: waitMs,
    ...(failure.type ? { type: failure.type } : {}),
  });
}

function giveUp(
  { log }: AskAnalystDeps,
  { incident }: AskAnalystInput,
  why: string,
  failure?: ApplicationFailure,
): AnalystAnswer {
  const { advice } = detailsOf(failure);
  const said = `no verdict of the analyst: ${why}${advice === '' ? '' : `. ${advice}`}`;
  const fields = { invariant: incident.invariantId, failure: failure?.type };
  if (failure?.nonRetryable === true) log.error(fields, said);
  else log.warn(fields, said);
  return none(why);
}

function uselessAnswer(message: string): ApplicationFailure {
  return ApplicationFailure.create({ type: FAILURES.uselessAnswer, message });
}

function none(why: string): AnalystAnswer {
  return { verdict: null, why };
}
