import { WorkflowFailedError } from '@temporalio/client';
import { isoTime } from '../client/history-payload';
import type { TemporalAccess } from '../client/temporal';
import { WORKFLOWS } from '../workflows/contract';
import { innermost } from './innermost';

/** A worker that waits for work asks again once a minute; one that did not ask for longer is gone. */
const POLLER_FRESH_MS = 70_000;
/** temporal.api.enums.v1.TaskQueueType */
const WORKFLOW_TASK_QUEUE = 1;

/** Whether a worker has asked for this queue's work lately; a killed one counts for up to a minute more. */
export async function hasPoller(access: TemporalAccess, queue: string): Promise<boolean> {
  return (await lastPoll(access, queue)) !== null;
}

/** When a worker last asked for this queue's work; null when that is too long ago. */
export async function lastPoll(
  access: TemporalAccess,
  queue: string,
  now = Date.now(),
): Promise<Date | null> {
  const { pollers } = await access.connection.workflowService.describeTaskQueue({
    namespace: access.namespace,
    taskQueue: { name: queue },
    taskQueueType: WORKFLOW_TASK_QUEUE,
  });
  const newest = Math.max(0, ...(pollers ?? []).map((poller) => Date.parse(isoTime(poller.lastAccessTime))));
  return now - newest < POLLER_FRESH_MS ? new Date(newest) : null;
}

export type LastSweep =
  | { readonly outcome: 'completed'; readonly at: Date }
  /** The checks could not run: `reason` says why. Nothing is known about any service. */
  | { readonly outcome: 'failed'; readonly at: Date; readonly reason: string };

/** How the last sweep that ended went; null when none has. */
export async function lastSweep(access: TemporalAccess): Promise<LastSweep | null> {
  const query = `WorkflowType = '${WORKFLOWS.monitor}' AND ExecutionStatus != 'Running'`;
  // Visibility lists the one that closed last first, without being asked to.
  for await (const run of access.client.workflow.list({ query, pageSize: 1 })) {
    const at = run.closeTime ?? run.startTime;
    if (run.status.name === 'COMPLETED') return { outcome: 'completed', at };
    return {
      outcome: 'failed',
      at,
      reason: await reasonOf(access, run.workflowId, run.runId, run.status.name),
    };
  }
  return null;
}

async function reasonOf(
  access: TemporalAccess,
  workflowId: string,
  runId: string,
  status: string,
): Promise<string> {
  if (status === 'TIMED_OUT') return 'the sweep ran out of time: no monitor took it, or it died under it';
  try {
    await access.client.workflow.getHandle(workflowId, runId).result();
    return status;
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) return status;
    return innermost(error);
  }
}
