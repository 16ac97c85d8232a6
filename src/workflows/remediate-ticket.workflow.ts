import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { TicketResult } from '../domain/ticket';
import type { Claim } from './agent-contract';
import type { RemediateInput } from './contract';
import { agent } from './proxies';
import { closeTicket } from './close-ticket';
import { putEditsBack } from './put-edits-back';
import { TicketRecord } from './ticket-record';
import { runAttempt } from './tool-loop';
import { verify } from './verification';

/**
 * One ticket from open to closed; its workflow ID is the invariant's ID. It stays open until an independent check proves
 * that the invariant holds, or a person closes it; a ticket closed without repair still completes its workflow.
 */
export async function RemediateTicket({ ticket }: RemediateInput): Promise<TicketResult> {
  const record = new TicketRecord(ticket);
  try {
    let claim = await claimTicket(record);
    record.apply({ type: 'claimed' }, claim.brain);
    let outcome = await runAttempt(record, claim, 'opened');
    while (outcome === 'blocked') {
      const reason = await record.waitForReason(claim.retryAfterMs);
      if (reason === 'recovered') {
        const waitingFor = record.state.blockedOn ?? 'person';
        if ((await verify(record)).recovered) break;
        record.waitOn(waitingFor);
        continue;
      }
      record.apply({ type: 'resumed', newAttempt: true });
      claim = await claimTicket(record);
      outcome = await runAttempt(record, claim, reason);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    if (record.hasEdited) await CancellationScope.nonCancellable(() => putEditsBack(record));
    record.apply({ type: record.cancelReason?.mode === 'dismiss' ? 'dismissed' : 'cancelled' });
  }
  return await CancellationScope.nonCancellable(() => closeTicket(record));
}

async function claimTicket(record: TicketRecord): Promise<Claim> {
  return await agent.claimTicket.executeWithOptions({ summary: 'an agent takes the ticket' }, [
    record.context,
  ]);
}
