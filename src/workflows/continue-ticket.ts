import { ActivityFailure, CancelledFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  workflowInfo,
} from '@temporalio/workflow';
import type { TicketResult } from '../domain/ticket';
import type { RemediateInput } from './contract';
import { archive } from './proxies';
import type { Attempt } from './ticket-carry';
import type { TicketRecord } from './ticket-record';

/** Goes on in another run. A signal that comes in this moment makes the server refuse, and the decision is made again with it. */
export async function continueTicket(
  { ticket, carried }: RemediateInput,
  now: { readonly record: TicketRecord; readonly attempt: Attempt; readonly isWaiting: boolean },
): Promise<never> {
  await condition(allHandlersFinished);
  // It may have come together with the last result, and the next run would never hear of it.
  if (CancellationScope.current().consideredCancelled) {
    throw new CancelledFailure('cancelled before the next run');
  }
  const { memo = {} } = workflowInfo();
  // Search attributes go over as they are, but of the memo only what the run began with.
  const goOn = makeContinueAsNewFunc<(input: RemediateInput) => Promise<TicketResult>>({ memo });
  return await goOn({
    ticket,
    carried: {
      earlierRuns: (carried?.earlierRuns ?? 0) + 1,
      record: now.record.carry(),
      attempt: now.attempt,
      isWaiting: now.isWaiting,
    },
  });
}

/** Only now, because it is whole now. One that cannot be kept does not hold up the ticket: the agent tries again later. */
export async function keepEarlierRun(ticketId: string): Promise<void> {
  const { workflowId, continuedFromExecutionRunId: runId } = workflowInfo();
  if (runId === undefined) return;
  try {
    await archive.keepRun.executeWithOptions({ summary: 'keep the history so far' }, [
      { workflowId, runId, ticketId },
    ]);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    log.error('the history so far could not be kept; the server forgets it in time', { ticketId });
  }
}
