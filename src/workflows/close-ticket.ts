import { ActivityFailure } from '@temporalio/common';
import { allHandlersFinished, condition, log, workflowInfo } from '@temporalio/workflow';
import type { TicketResult } from '../domain/ticket';
import { archive } from './proxies';
import type { TicketRecord } from './ticket-record';

/**
 * Keeps the trajectory as a file and gives the run's result. The final state is already in the search attributes, so the
 * archive states it although the run has not ended yet.
 */
export async function closeTicket(record: TicketRecord): Promise<TicketResult> {
  const { workflowId, runId } = workflowInfo();
  const ticketId = record.spec.id;
  try {
    await archive.archiveTicket.executeWithOptions({ summary: 'keep the trajectory' }, [
      { workflowId, runId, ticketId },
    ]);
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.error('the trajectory could not be archived; it stays readable until the server forgets the run', {
      ticketId,
    });
  }
  await condition(allHandlersFinished);
  const { status, resolution, attempt, effects } = record.state;
  return {
    ticketId,
    status,
    resolution: resolution ?? 'cancelled',
    attempts: attempt,
    effects,
    closedAt: new Date().toISOString(),
    reason: record.cancelReason?.reason ?? null,
  };
}
