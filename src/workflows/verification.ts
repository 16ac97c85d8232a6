import { ActivityFailure, TimeoutFailure, TimeoutType } from '@temporalio/common';
import type { VerifyInput, VerifyResult } from './contract';
import { proof } from './proxies';
import { isHistoryLong } from './ticket-carry';
import type { TicketRecord } from './ticket-record';

/** After this many schedule-to-start limits (15 s each) the ticket says that it waits for a monitor. */
const SILENT_ROUNDS_BEFORE_SAYING = 2;

/**
 * Asks the monitor, never the agent, whether the invariant holds; waits for ever for a monitor, visibly. Where the history
 * is too long for that, the question goes on to the next run.
 */
export async function verify(record: TicketRecord): Promise<VerifyResult> {
  record.apply({ type: 'verifying' });
  const input: VerifyInput = {
    invariantId: record.spec.invariantId,
    joined: record.joinedInvariants,
    service: record.spec.service,
  };
  for (let silentRounds = 0; ;) {
    try {
      const result = await proof.verifyRecovery.executeWithOptions(
        { summary: `does ${input.invariantId} hold?` },
        [input],
      );
      record.apply({ type: 'verifying' });
      if (result.recovered) record.apply({ type: 'recovery_verified' });
      else record.apply({ type: 'investigating' });
      return result;
    } catch (error) {
      if (!isWaitingForMonitor(error)) throw error;
      silentRounds += 1;
      if (silentRounds === SILENT_ROUNDS_BEFORE_SAYING) {
        record.apply({ type: 'blocked', on: 'monitor', escalation: null });
      }
      if (isHistoryLong()) {
        record.keepHint();
        const at = new Date().toISOString();
        return { recovered: false, at, successes: 0, failing: [], note: 'no monitor has answered so far' };
      }
    }
  }
}

function isWaitingForMonitor(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    error.cause.timeoutType === TimeoutType.SCHEDULE_TO_START
  );
}

/** The proof's answer as text for the brain. */
export function describeProof(result: VerifyResult): string {
  if (result.recovered) return 'Verified: the invariant holds.';
  if (result.note !== undefined) return `Not verified: ${result.note}.`;
  const failing = result.failing.map(
    (check) => `${check.invariantId}: ${check.error ?? 'the condition is false'}`,
  );
  return `Not verified; still failing: ${failing.join('; ')}`;
}
