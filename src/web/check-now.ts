import { WorkflowFailedError } from '@temporalio/client';
import type { TemporalAccess } from '../client/temporal';
import type { CheckResult } from '../domain/check';
import type { CheckNowInput, CheckNowResult, CheckTarget, RecheckRequest } from '../workflows/contract';
import { checkWorkflowId, QUEUES, SIGNALS, WORKFLOWS } from '../workflows/contract';
import { innermost } from './innermost';
import { Problem } from './problem';
import { hasPoller } from './temporal-health';
import { isTooLate } from './too-late';

const DEADLINE_MS = 15_000;
type CheckNow = (input: CheckNowInput) => Promise<CheckNowResult>;

/**
 * Has the monitor probe one invariant and waits for its answer; null when it probed nothing. Throws a Problem: 503 without
 * a monitor or when the check could not run, 504 when the monitor is too slow.
 */
export async function checkNow(
  access: TemporalAccess,
  invariantId: string,
  deadlineMs = DEADLINE_MS,
): Promise<CheckResult | null> {
  const target: CheckTarget = { kind: 'invariant', invariantId };
  const deadline = Date.now() + deadlineMs;
  try {
    const { checks } = await access.connection.withDeadline(deadline, async () => {
      const handle = await access.client.workflow.signalWithStart<CheckNow, [RecheckRequest]>(
        WORKFLOWS.checkNow,
        {
          workflowId: checkWorkflowId(target),
          taskQueue: QUEUES.monitor,
          args: [{ target }],
          signal: SIGNALS.recheck,
          signalArgs: [{ cause: 'person' }],
          // Nobody waits longer than this; a monitor that comes back later has its own sweeps to do.
          workflowRunTimeout: 4 * deadlineMs,
          staticSummary: `check ${invariantId} for a person`,
        },
      );
      return await handle.result();
    });
    return checks.find((check) => check.invariantId === invariantId) ?? null;
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      const detail = `The check itself could not run: ${innermost(error)}. This says nothing about the service.`;
      throw new Problem(503, 'Check could not run', detail, { retryAfterS: 5 });
    }
    if (!isTooLate(error, deadline)) throw error;
    throw await tooLate(access, deadlineMs);
  }
}

async function tooLate(access: TemporalAccess, deadlineMs: number): Promise<Problem> {
  const waited = `within ${deadlineMs / 1_000} s`;
  if (await hasPoller(access, QUEUES.monitor)) {
    return new Problem(
      504,
      'Check takes too long',
      `The monitor did not answer ${waited}; its result will be in the next sweep.`,
    );
  }
  const detail = `No monitor took the check ${waited}; start it ("harness run", or "harness monitor").`;
  return new Problem(503, 'No monitor', detail, { retryAfterS: 10 });
}
