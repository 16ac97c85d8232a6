import { ActivityFailure } from '@temporalio/common';
import { isCancellation } from '@temporalio/workflow';
import { isRecord } from '../domain/json';
import type { Json } from '../domain/json';
import { PAUSED_RULE } from '../domain/pause';
import type { AttemptCause, Escalation } from '../domain/ticket';
import type { ToolCall, ToolResult } from '../domain/tool';
import { isActingTool, isEditTool, isToolName, mayHaveChangedSomething } from '../domain/tool';
import type { Claim } from './contract';
import { actingTools, agent, readTools } from './proxies';
import type { TicketRecord } from './ticket-record';
import { describeProof, verify } from './verification';

export type AttemptOutcome = 'recovered' | 'blocked';

/** One attempt: turns of propose → decide → tool, until the proof holds, a person is needed, or the turns are spent. */
export async function runAttempt(
  record: TicketRecord,
  claim: Claim,
  begunBy: AttemptCause,
): Promise<AttemptOutcome> {
  let results: readonly ToolResult[] = [];
  let memory: Json = null;
  for (let turn = 1; turn <= claim.maxTurns; turn += 1) {
    if (record.takeRecoveredHint() && (await verify(record)).recovered) return 'recovered';
    const proposal = await agent.proposeStep.executeWithOptions(
      { summary: `turn ${turn}: ${claim.brain} thinks` },
      [
        {
          ticket: record.context,
          brain: claim.brain,
          attempt: record.state.attempt,
          begunBy,
          turn,
          results,
          notes: record.takeNews(),
          memory,
        },
      ],
    );
    memory = proposal.memory;
    const answers: ToolResult[] = [];
    for (const call of proposal.calls) {
      const result = await runCall(record, call);
      record.addResult(result);
      const ending = await applyStatusProposal(record, call, result);
      if (ending === 'recovered' || ending === 'blocked') return ending;
      answers.push(ending ?? result);
    }
    results = answers;
  }
  record.apply({ type: 'blocked', on: 'budget', escalation: outOfTurns(claim.maxTurns) });
  return 'blocked';
}

async function runCall(record: TicketRecord, call: ToolCall): Promise<ToolResult> {
  const decision = await agent.decide.executeWithOptions({ summary: `may ${call.name} run?` }, [
    { ticket: record.context, call },
  ]);
  if (decision.verdict === 'deny' || !isToolName(call.name)) {
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
    const result = await actingTools[call.name].executeWithOptions({ summary }, [input]);
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

/** A status the brain asks for is a proposal: `completed` must be proven, `blocked` is taken at its word. */
async function applyStatusProposal(
  record: TicketRecord,
  call: ToolCall,
  result: ToolResult,
): Promise<AttemptOutcome | ToolResult | null> {
  if (call.name !== 'update_ticket_status' || result.isError) return null;
  if (call.input['status'] === 'completed') {
    const verified = await verify(record);
    if (verified.recovered) return 'recovered';
    return { ...result, isError: true, content: describeProof(verified) };
  }
  record.askPerson(readEscalation(result));
  return 'blocked';
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

function summarize(call: ToolCall): string {
  const words = Object.entries(call.input).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${key}=${value.slice(0, 60)}`] : [],
  );
  return `${call.name} ${words.join(' ')}`.slice(0, 180);
}
