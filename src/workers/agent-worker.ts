import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { fetchRun } from '../client/history';
import { createHistoryReader } from '../client/ticket-history';
import { listRuns } from '../client/ticket-runs';
import type { HarnessConfig } from '../config/config';
import type { ProcessHost } from '../config/process-host';
import { QUEUES } from '../workflows/contract';
import { createAgentActivities } from './agent-activities';
import { keepArchiveWhole } from './archive-reconciler';
import { keepDataSmall } from './keep-data-small';
import { openTemporal } from './open-temporal';
import { runUntilAborted, workerOptions } from './worker-options';

/**
 * The agent process: takes tickets, thinks, acts. Ends, in order, when `host.signal` aborts; rejects when Temporal cannot be
 * reached at the start or the worker fails.
 */
export async function runAgentWorker(config: HarnessConfig, host: ProcessHost): Promise<void> {
  const temporal = await openTemporal(config, host.log);
  try {
    const worker = await Worker.create(
      workerOptions({
        connection: temporal.native,
        namespace: temporal.access.namespace,
        queue: QUEUES.agent,
        bundlePath: join(config.packageRoot, 'dist', 'workflow-bundle.js'),
        activities: createAgentActivities({ config, access: temporal.access, log: host.log }),
      }),
    );
    host.ready();
    const { access } = temporal;
    await Promise.all([
      runUntilAborted(worker, host.signal),
      keepArchiveWhole(
        {
          dataDir: config.dataDir,
          log: host.log,
          closedRuns: () => listRuns(access, { hasEnded: true }),
          continuedRuns: () => listRuns(access, { isContinued: true }),
          readHistory: createHistoryReader(access, config.dataDir),
          readRun: (workflowId, runId) => fetchRun(access, workflowId, runId),
        },
        host.signal,
      ),
      keepDataSmall(
        {
          dataDir: config.dataDir,
          log: host.log,
          now: () => new Date(),
          openTickets: async () => {
            // While a run is being continued, the next one may not be listed yet.
            const continued = await listRuns(access, { isContinued: true });
            const open = await listRuns(access, { status: 'open' });
            return new Set([...continued, ...open].map(({ ticketId }) => ticketId));
          },
          isOnServer: async (ticketId) => {
            const continued = await listRuns(access, { ticketId, isContinued: true });
            return continued.length > 0 || (await listRuns(access, { ticketId })).length > 0;
          },
        },
        host.signal,
      ),
    ]);
  } finally {
    await temporal.close();
  }
}
