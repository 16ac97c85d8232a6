import { ActivityFailure, ApplicationFailure } from '@temporalio/common';
import { isCancellation } from '@temporalio/workflow';
import { isRecord } from '../domain/json';
import type { Json } from '../domain/json';
import { PAUSED_RULE } from '../domain/pause';
import type { AttemptCause, Brain, Escalation } from '../domain/ticket';
import type { Decision, Proposal, ToolCall, ToolResult } from '../domain/tool';
import { isActingCall, isActingTool, isEditTool, isToolName, mayHaveChangedSomething } from '../domain/tool';
import type { Claim, ProposeInput } from './agent-contract';
import { actingTools, agent, model, readTools } from './proxies';
import { isHistoryLong } from './ticket-carry';
import type { Attempt } from './ticket-carry';
import type { TicketRecord } from './ticket-record';
import { describeProof, verify } from './verification';

export type AttemptOutcome = 'recovered' | 'blocked' | 'long_history';

type BrainOutcome =
  | { readonly kind: AttemptOutcome }
  /** `escalation`: it would have asked a person. */
  | { readonly kind: 'handed_over'; readonly reason: string; readonly escalation: Escalation | null }
  | { readonly kind: 'out_of_turns' };

export function newAttempt(claim: Claim, begunBy: AttemptCause): Attempt {
  return {
    claim,
    begunBy,
    claimedAtMs: Date.now(),
    turn: 0,
    brainIndex: 0,
    standing: null,
    handOvers: [],
    asked: null,
  };
}

/**
 * One attempt: turns of propose → decide → tool (what does not act is decided with the proposal), until the proof holds, a
 * person is needed, or nobody can go on. A brain that cannot go on hands over to the next one, which takes the ticket where it
 * stands: same tools, same policy. It goes on from where `attempt` stands, and leaves it there when the history has grown long.
 */
export async function runAttempt(record: TicketRecord, attempt: Attempt): Promise<AttemptOutcome> {
  const { claim, handOvers } = attempt;
  const brains = claim.brains ?? [claim.brain];
  for (const [index, brain] of brains.entries()) {
    if (index < attempt.brainIndex) continue;
    attempt.brainIndex = index;
    record.useBrain(brain);
    const hasNext = index < brains.length - 1;
    const outcome = await runBrain(record, attempt, { brain, hasNext });
    switch (outcome.kind) {
      case 'recovered':
      case 'blocked':
      case 'long_history':
        return outcome.kind;
      case 'out_of_turns':
        if (hasNext) {
          handOvers.push(`The ${brain} brain could not go on: its ${claim.maxTurns} turns are spent.`);
          break;
        }
        record.apply({ type: 'blocked', on: 'budget', escalation: outOfTurns(claim.maxTurns) });
        return 'blocked';
      case 'handed_over':
        attempt.asked = outcome.escalation ?? attempt.asked;
        handOvers.push(`The ${brain} brain could not go on: ${outcome.reason}`);
    }
  }
  record.askPerson(nobodyLeft(attempt.asked, handOvers));
  return 'blocked';
}

async function runBrain(
  record: TicketRecord,
  attempt: Attempt,
  { brain, hasNext }: { readonly brain: Brain; readonly hasNext: boolean },
): Promise<BrainOutcome> {
  let { left, results, notes, memory } = attempt.standing ?? {
    left: attempt.claim.maxTurns,
    results: [],
    notes: attempt.handOvers.slice(-1),
    memory: null,
  };
  attempt.standing = null;
  for (; left > 0; left -= 1) {
    const isProofAsked = !isHistoryLong() && record.takeRecoveredHint();
    if (isProofAsked && (await verify(record)).recovered) return { kind: 'recovered' };
    if (isHistoryLong()) {
      attempt.standing = { left, results, notes, memory };
      return { kind: 'long_history' };
    }
    attempt.turn += 1;
    const proposal = await propose(record, attempt, brain, { results, notes, memory });
    if (proposal.handOver !== undefined) {
      return { kind: 'handed_over', reason: proposal.handOver, escalation: null };
    }
    memory = proposal.memory;
    results = [];
    notes = [];
    if (proposal.isFinished === true) {
      const proof = await verify(record);
      if (proof.recovered) return { kind: 'recovered' };
      notes = [describeProof(proof)];
      continue;
    }
    const answers: ToolResult[] = [];
    for (const { call, result } of await runCalls(record, proposal)) {
      record.addResult(result);
      const ending = await applyStatusProposal(record, call, result, hasNext && brain === 'runbook');
      if (ending?.kind === 'result') answers.push(ending.result);
      else if (ending) return ending;
      else answers.push(result);
    }
    results = [...answers, ...(proposal.unrun ?? [])];
  }
  return { kind: 'out_of_turns' };
}

async function propose(
  record: TicketRecord,
  { claimedAtMs, begunBy, turn }: Attempt,
  brain: Brain,
  known: Pick<ProposeInput, 'results' | 'notes' | 'memory'>,
): Promise<Proposal> {
  const input: ProposeInput = {
    ticket: record.context,
    brain,
    attempt: record.state.attempt,
    begunBy,
    turn,
    ...known,
    notes: [...known.notes, ...record.takeNews()],
    workedMs: Date.now() - claimedAtMs,
  };
  const summary = `turn ${turn}: ${brain} thinks`;
  if (brain === 'runbook') return await agent.proposeStep.executeWithOptions({ summary }, [input]);
  try {
    const proposal = await model.proposeStep.executeWithOptions({ summary }, [input]);
    if (proposal.model) record.setAttemptCost(proposal.model.attemptUsd);
    return proposal;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    record.setAttemptCost(attemptUsd(error));
    const handOver = error.cause?.message ?? error.message;
    return { brain, text: '', calls: [], memory: null, handOver };
  }
}

/** What the attempt had cost by then; null when the failure does not say. */
function attemptUsd({ cause }: ActivityFailure): number | null {
  const [details] = cause instanceof ApplicationFailure ? ((cause.details ?? []) as Json[]) : [];
  const usd = isRecord(details ?? null) ? (details as { readonly [key: string]: Json })['attemptUsd'] : null;
  return typeof usd === 'number' ? usd : null;
}

/** Reads run side by side; where one call acts, each waits for the one before it. */
async function runCalls(
  record: TicketRecord,
  { brain, calls, decisions = [] }: Proposal,
): Promise<readonly { readonly call: ToolCall; readonly result: ToolResult }[]> {
  const run = async (call: ToolCall, index: number) => {
    const known = isActingCall(call) ? null : decisions[index];
    const decision = known ?? (await decide(record, call));
    return { call, result: await runCall(record, call, { brain, decision }) };
  };
  if (calls.every((call) => isToolName(call.name) && !isActingCall(call))) {
    return await Promise.all(calls.map(run));
  }
  const done: Awaited<ReturnType<typeof run>>[] = [];
  for (const [index, call] of calls.entries()) done.push(await run(call, index));
  return done;
}

async function decide(record: TicketRecord, call: ToolCall): Promise<Decision> {
  const summary = `may ${call.name} run?`;
  return await agent.decide.executeWithOptions({ summary }, [{ ticket: record.context, call }]);
}

async function runCall(
  record: TicketRecord,
  call: ToolCall,
  { brain, decision }: { readonly brain: Brain; readonly decision: Decision },
): Promise<ToolResult> {
  if (decision.verdict !== 'allow' || !isToolName(call.name)) {
    if (decision.rule === PAUSED_RULE) record.isHeldByPause = true;
    return {
      callId: call.id,
      tool: call.name,
      isError: true,
      content: `Refused: ${decision.reason}`,
      data: { outcome: 'refused', rule: decision.rule },
    };
  }
  const input = { ticket: record.context, call };
  const summary = summarize(call);
  try {
    if (!isActingTool(call.name)) {
      return await readTools[call.name].executeWithOptions({ summary }, [input]);
    }
    record.apply({ type: 'acting' });
    if (isEditTool(call.name)) record.hasEdited = true;
    const acting = brain === 'runbook' ? input : { ...input, recheck: true };
    const result = await actingTools[call.name].executeWithOptions({ summary }, [acting]);
    if (mayHaveChangedSomething(result)) record.apply({ type: 'effect_done' });
    return result;
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    // Whether an acting tool that ended like this did its work is unknown: count it, and let the brain look.
    if (isActingTool(call.name)) record.apply({ type: 'effect_done' });
    return {
      callId: call.id,
      tool: call.name,
      isError: true,
      content: `The outcome is unknown (${error.cause?.message ?? error.message}); inspect before acting again.`,
      data: null,
    };
  }
}

/**
 * A status the brain asks for is a proposal: `completed` must be proven, `blocked` is taken at its word, unless another brain
 * may know more; not about what a person paused.
 */
async function applyStatusProposal(
  record: TicketRecord,
  call: ToolCall,
  result: ToolResult,
  hasNext: boolean,
): Promise<BrainOutcome | { readonly kind: 'result'; readonly result: ToolResult } | null> {
  if (call.name !== 'update_ticket_status' || result.isError) return null;
  if (call.input['status'] === 'completed') {
    const verified = await verify(record);
    if (verified.recovered) return { kind: 'recovered' };
    return { kind: 'result', result: { ...result, isError: true, content: describeProof(verified) } };
  }
  const escalation = readEscalation(result);
  if (hasNext && !record.isHeldByPause) {
    // The next brain changes the service: how it was left is not known yet.
    record.forgetHowLeft();
    return { kind: 'handed_over', reason: escalation.reason, escalation };
  }
  record.askPerson(escalation);
  return { kind: 'blocked' };
}

/** From the tool's result, not from what the brain said: that is cleaned and masked. */
function readEscalation({ data }: ToolResult): Escalation {
  const text = (name: string) => (isRecord(data) && typeof data[name] === 'string' ? data[name] : '');
  return { at: new Date().toISOString(), reason: text('reason'), report: text('report') };
}

function outOfTurns(turns: number): Escalation {
  return {
    at: new Date().toISOString(),
    reason: `The attempt's ${turns} turns are spent.`,
    report: 'The turns so far are in the trajectory of this ticket.',
  };
}

/** Whoever asked for a person said why; what the others could not do comes after it. */
function nobodyLeft(asked: Escalation | null, handOvers: readonly string[]): Escalation {
  const at = new Date().toISOString();
  const reason = asked?.reason ?? handOvers.at(-1) ?? 'No brain could go on.';
  return {
    at,
    reason,
    report: [asked?.report ?? '', ...handOvers].filter((part) => part !== '').join('\n\n'),
  };
}

function summarize(call: ToolCall): string {
  const words = Object.entries(call.input).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${key}=${value.slice(0, 60)}`] : [],
  );
  return `${call.name} ${words.join(' ')}`.slice(0, 180);
}
