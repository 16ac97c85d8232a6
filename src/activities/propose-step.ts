import { ApplicationFailure } from '@temporalio/common';
import type { ServiceConfig } from '../config/config';
import { FAILURES } from '../domain/failures';
import { nextRunbookStep } from '../domain/runbook';
import { parseRunbookMemory } from '../domain/runbook-memory';
import type { Proposal } from '../domain/tool';
import { isActingCall } from '../domain/tool';
import type { AgentActivities, ProposeInput } from '../workflows/agent-contract';

/** A brain turns what is known into the next tool calls. One implementation per brain; the loop around it is the same. */
export type BrainTurn = (input: ProposeInput) => Promise<Proposal>;

/** The deterministic ladder as a brain: no network, no key, answers at once. */
export function runbookBrain(deps: {
  readonly now: () => Date;
  readonly services: readonly Pick<ServiceConfig, 'name' | 'restartLimit'>[];
}): BrainTurn {
  const limits = new Map(deps.services.map(({ name, restartLimit }) => [name, restartLimit.relapses]));
  return (input) => {
    const { service, relapses = 0 } = input.ticket;
    const step = nextRunbookStep({
      service,
      detectedAt: input.ticket.detectedAt,
      now: deps.now().toISOString(),
      begunBy: input.begunBy ?? 'opened',
      relapses: { count: relapses, limit: limits.get(service ?? '') ?? Infinity },
      results: input.results,
      memory: parseRunbookMemory(input.memory),
    });
    return Promise.resolve({
      brain: 'runbook',
      text: step.text,
      calls: [{ id: `call_${input.attempt}_${input.turn}`, name: step.tool, input: step.input }],
      memory: { ...step.memory },
    });
  };
}

/**
 * The activity `proposeStep`: one turn of the brain whose turn it is. What does not act is decided at once, which spares each
 * look an activity; a decision that cannot be recorded is left to `decide`.
 */
export function createProposeStep(
  brains: { readonly runbook: BrainTurn; readonly claude: BrainTurn | null },
  decide: AgentActivities['decide'],
): BrainTurn {
  return async (input) => {
    const turn = input.brain === 'claude' ? (brains.claude ?? brains.runbook) : brains.runbook;
    const proposal = await turn(input);
    const decisions = await Promise.all(
      proposal.calls.map(async (call) =>
        isActingCall(call) ? null : await decide({ ticket: input.ticket, call }).catch(leftOpen),
      ),
    );
    return { ...proposal, decisions };
  };
}

function leftOpen(error: unknown): null {
  if (error instanceof ApplicationFailure && error.type === FAILURES.storage) return null;
  throw error;
}
