import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { AgentActivities } from './agent-contract';
import type { MonitorActivities } from './contract';
import { QUEUES } from './contract';
import type { ACTING_TOOLS, READ_TOOLS, TICKET_TOOLS } from '../domain/tool';

/*
 * One proxy per kind of effect, with its retry policy. Every activity that can block heartbeats, so a lost worker is
 * noticed after `heartbeatTimeout` and not after `startToCloseTimeout`.
 */

const QUICK_RETRY = { initialInterval: '200ms', backoffCoefficient: 2, maximumInterval: '1s' } as const;

/** A sweep that cannot run fails its run after three tries: the next one is due anyway, and a failed run is visible. */
export const sweep = proxyActivities<Pick<MonitorActivities, 'checkInvariants'>>({
  taskQueue: QUEUES.monitor,
  startToCloseTimeout: '15s',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumAttempts: 3 },
});

/** An incident is never dropped: retried until a monitor answers. */
export const triage = proxyActivities<Pick<MonitorActivities, 'collectEvidence' | 'analyzeFailure'>>({
  taskQueue: QUEUES.monitor,
  startToCloseTimeout: '15s',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumInterval: '5s' },
});

/** The activity decides itself what is worth another try, and ends before its time is over. */
export const analyst = proxyActivities<Pick<MonitorActivities, 'askAnalyst'>>({
  taskQueue: QUEUES.monitor,
  startToCloseTimeout: '60s',
  scheduleToCloseTimeout: '3m',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumAttempts: 3 },
});

/** Schedule-to-start is short, so that a ticket can say that it waits for a monitor (`verification.ts`). */
export const proof = proxyActivities<Pick<MonitorActivities, 'verifyRecovery'>>({
  taskQueue: QUEUES.monitor,
  scheduleToStartTimeout: '15s',
  startToCloseTimeout: '2m',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumInterval: '5s' },
});

/** Waits for ever for an agent: until then the ticket is `pending`. */
export const agent = proxyActivities<Pick<AgentActivities, 'claimTicket' | 'proposeStep' | 'decide'>>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumInterval: '5s' },
});

/** A turn of a model may take minutes; what it does not answer after a few tries is left to the next brain. */
export const model = proxyActivities<Pick<AgentActivities, 'proposeStep'>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '3s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 4 },
});

/** Reading changes nothing: repeat freely, then tell the brain. A cancelled ticket waits until the tool has stopped. */
export const readTools = proxyActivities<
  Pick<AgentActivities, (typeof READ_TOOLS)[number] | (typeof TICKET_TOOLS)[number]>
>({
  startToCloseTimeout: '1m',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumAttempts: 3 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** May be repeated after a crash only because every call carries `expect` and an operation ID (`ControlRequest`). */
export const actingTools = proxyActivities<Pick<AgentActivities, (typeof ACTING_TOOLS)[number]>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumAttempts: 10 },
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
});

/** A full disk must not keep a repaired ticket open for ever. */
export const archive = proxyActivities<Pick<AgentActivities, 'archiveTicket' | 'keepRun'>>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: '3s',
  retry: { ...QUICK_RETRY, maximumAttempts: 5 },
});
