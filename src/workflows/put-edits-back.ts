import { ActivityFailure } from '@temporalio/common';
import { log } from '@temporalio/workflow';
import { actingTools } from './proxies';
import type { TicketRecord } from './ticket-record';

/** A ticket that ends without proof leaves the files as it found them. What cannot be put back must not keep it open. */
export async function putEditsBack(record: TicketRecord): Promise<void> {
  const call = { id: 'undo_at_end', name: 'undo_edits', input: {} };
  try {
    const result = await actingTools.undo_edits.executeWithOptions({ summary: 'put the edits back' }, [
      { ticket: record.context, call },
    ]);
    if (result.isError) log.error('the edits of the ticket were not put back', { content: result.content });
  } catch (error) {
    if (!(error instanceof ActivityFailure)) throw error;
    log.error('the edits of the ticket were not put back', { reason: error.cause?.message ?? error.message });
  }
}
