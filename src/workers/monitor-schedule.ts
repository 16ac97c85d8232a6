import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { MONITOR_WORKFLOW_ID, QUEUES, SCHEDULE_ID, WORKFLOWS } from '../workflows/contract';

/**
 * Creates the schedule of the sweeps or brings it up to date, and has one sweep start now. A schedule that a person paused
 * stays paused; returns whether it is.
 */
export async function ensureMonitorSchedule(
  client: Client,
  intervalMs: number,
): Promise<{ readonly isPaused: boolean }> {
  const definition = {
    spec: { intervals: [{ every: intervalMs }] },
    action: {
      type: 'startWorkflow' as const,
      workflowType: WORKFLOWS.monitor,
      workflowId: MONITOR_WORKFLOW_ID,
      taskQueue: QUEUES.monitor,
      args: [],
      workflowRunTimeout: '30s' as const,
      staticSummary: 'sweep over every invariant',
    },
    // A sweep that is late is overtaken by the next one; a monitor that was away has nothing to catch up on.
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: '10s' as const,
      pauseOnFailure: false,
    },
  };
  try {
    await client.schedule.create({
      ...definition,
      scheduleId: SCHEDULE_ID,
      state: { triggerImmediately: true },
    });
    return { isPaused: false };
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(SCHEDULE_ID);
  await handle.update(({ state }) => ({ ...definition, state }));
  const { state } = await handle.describe();
  if (!state.paused) await handle.trigger(ScheduleOverlapPolicy.SKIP);
  return { isPaused: state.paused };
}
