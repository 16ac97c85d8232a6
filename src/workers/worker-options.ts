import type { NativeConnection, Worker, WorkerOptions } from '@temporalio/worker';

export interface WorkerSetup {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly queue: string;
  /** `dist/workflow-bundle.js`: a worker with a prebuilt bundle starts in half the time. */
  readonly bundlePath: string;
  readonly activities: object;
}

/** The settings of every worker, as measured (docs: what a died worker or server costs depends on them). */
export function workerOptions(setup: WorkerSetup): WorkerOptions {
  return {
    connection: setup.connection,
    namespace: setup.namespace,
    taskQueue: setup.queue,
    workflowBundle: { codePath: setup.bundlePath },
    activities: setup.activities,
    // With the default of 10 s the next workflow task after a worker's death waits that long.
    stickyQueueScheduleToStartTimeout: '1s',
    maxHeartbeatThrottleInterval: '500ms',
    shutdownGraceTime: '5s',
  };
}

/** Runs the worker until the signal aborts and it has shut down; rejects when it fails before. */
export async function runUntilAborted(worker: Worker, signal: AbortSignal): Promise<void> {
  const stop = (): void => {
    if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const run = worker.run();
    if (signal.aborted) stop();
    await run;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
