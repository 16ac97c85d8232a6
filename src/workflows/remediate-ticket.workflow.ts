import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { TicketResult } from '../domain/ticket';
import type { Claim } from './agent-contract';
import type { RemediateInput } from './contract';
import { agent } from './proxies';
import { closeTicket } from './close-ticket';
import { continueTicket, keepEarlierRun } from './continue-ticket';
import { putEditsBack } from './put-edits-back';
import type { Attempt } from './ticket-carry';
import { TicketRecord } from './ticket-record';
import { newAttempt, runAttempt } from './tool-loop';
import { verify } from './verification';

/**
 * One ticket from open to closed; its workflow ID is the invariant's ID. It stays open until an independent check proves
 * that the invariant holds, or a person closes it; a ticket closed without repair still completes its workflow.
 */
export async function RemediateTicket(input: RemediateInput): Promise<TicketResult> {
  const { ticket, carried } = input;
  const record = new TicketRecord(ticket, carried?.record);
  try {
    if (carried) await keepEarlierRun(ticket.id);
    let attempt = carried?.attempt ?? (await beginFirstAttempt(record));
    let outcome = carried?.isWaiting === true ? 'blocked' : await runAttempt(record, attempt);
    while (outcome !== 'recovered') {
      if (outcome === 'long_history') {
        return await continueTicket(input, { record, attempt, isWaiting: false });
      }
      const reason = await record.waitForReason(attempt.claim.retryAfterMs);
      if (reason === 'long_history') {
        return await continueTicket(input, { record, attempt, isWaiting: true });
      }
      if (reason === 'recovered') {
        const waitingFor = record.state.blockedOn ?? 'person';
        if ((await verify(record)).recovered) break;
        record.waitOn(waitingFor);
        continue;
      }
      record.apply({ type: 'resumed', newAttempt: true });
      attempt = newAttempt(await claimTicket(record), reason);
      outcome = await runAttempt(record, attempt);
    }
  } catch (error) {
    if (!isCancellation(error)) throw error;
    if (record.hasEdited) await CancellationScope.nonCancellable(() => putEditsBack(record));
    record.apply({ type: record.cancelReason?.mode === 'dismiss' ? 'dismissed' : 'cancelled' });
  }
  return await CancellationScope.nonCancellable(() => closeTicket(record));
}

async function beginFirstAttempt(record: TicketRecord): Promise<Attempt> {
  const claim = await claimTicket(record);
  record.apply({ type: 'claimed' }, claim.brain);
  return newAttempt(claim, 'opened');
}

async function claimTicket(record: TicketRecord): Promise<Claim> {
  return await agent.claimTicket.executeWithOptions({ summary: 'an agent takes the ticket' }, [
    record.context,
  ]);
}
