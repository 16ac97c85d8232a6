import { isGrpcServiceError } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { History } from '@temporalio/common/lib/proto-utils';
import type { HistoryEvent } from '../domain/history-event';
import { failureOf, isoTime, jsonOf, jsonRecord, summaryOf, wholeNumber } from './history-payload';
import type { TemporalAccess } from './temporal';

type ProtoEvent = NonNullable<History['events']>[number];
/** gRPC status */
const NOT_FOUND = 5;
/** Events asked for at once from the end of a history. */
const TAIL_PAGE = 64;

/** Every event of one run (the current one by default). Rejects with WorkflowNotFoundError when there is none. */
export async function fetchRun(
  access: TemporalAccess,
  workflowId: string,
  runId?: string,
): Promise<readonly HistoryEvent[]> {
  try {
    return decodeHistory(await access.client.workflow.getHandle(workflowId, runId).fetchHistory(), runId);
  } catch (error) {
    throw asNotFound(error, workflowId, runId);
  }
}

/** The SDK passes the bare gRPC error on here, unlike in its other calls. */
function asNotFound(error: unknown, workflowId: string, runId: string | undefined): unknown {
  if (!isGrpcServiceError(error) || Number(error.code) !== NOT_FOUND) return error;
  return new WorkflowNotFoundError(error.details || error.message, workflowId, runId);
}

/**
 * The events of one run from `fromId` on, oldest first, also those after `toId`, as which its length is known: read from the
 * end, so that only what is new is sent. Rejects with WorkflowNotFoundError when there is no such run.
 */
export async function fetchTail(
  access: TemporalAccess,
  workflowId: string,
  runId: string,
  { fromId, toId }: { readonly fromId: number; readonly toId: number },
): Promise<readonly HistoryEvent[]> {
  const request = {
    namespace: access.namespace,
    execution: { workflowId, runId },
    maximumPageSize: Math.min(toId - fromId + 1, TAIL_PAGE),
  };
  const newestFirst: HistoryEvent[] = [];
  try {
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await access.client.workflowService.getWorkflowExecutionHistoryReverse({
        ...request,
        nextPageToken,
      });
      newestFirst.push(...decodeHistory(page.history ?? {}, runId));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0 && (newestFirst.at(-1)?.id ?? 0) > fromId);
  } catch (error) {
    throw asNotFound(error, workflowId, runId);
  }
  return newestFirst.reverse().filter(({ id }) => id >= fromId);
}

/** Decodes a stored history; total: what it does not know becomes `other`, an unreadable payload a marked placeholder. */
export function decodeHistory(history: History, runId?: string): readonly HistoryEvent[] {
  return (history.events ?? []).map((event) => decodeEvent(event, runId));
}

function decodeEvent(event: ProtoEvent, runId: string | undefined): HistoryEvent {
  const base = { id: wholeNumber(event.eventId), at: isoTime(event.eventTime) };
  return (
    decodeRunEvent(event, base, runId) ??
    decodeActivityEvent(event, base) ??
    decodeMessageEvent(event, base) ?? { ...base, type: 'other', name: nameOf(event) }
  );
}

type Base = Pick<HistoryEvent, 'id' | 'at'>;

function decodeRunEvent(event: ProtoEvent, base: Base, runId: string | undefined): HistoryEvent | null {
  const started = event.workflowExecutionStartedEventAttributes;
  if (started) {
    return {
      ...base,
      type: 'started',
      workflowId: started.workflowId ?? '',
      runId: runId ?? started.originalExecutionRunId ?? '',
      workflowType: started.workflowType?.name ?? '',
      input: jsonOf(started.input),
      continuedFrom: started.continuedExecutionRunId || null,
      searchAttributes: jsonRecord(started.searchAttributes?.indexedFields),
      memo: jsonRecord(started.memo?.fields),
    };
  }
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (completed) return { ...base, type: 'completed', result: jsonOf(completed.result)[0] ?? null };
  const failed = event.workflowExecutionFailedEventAttributes;
  if (failed) return { ...base, type: 'failed', failure: failureOf(failed.failure) };
  if (event.workflowExecutionTimedOutEventAttributes) return { ...base, type: 'timed_out' };
  if (event.workflowExecutionCanceledEventAttributes) return { ...base, type: 'canceled' };
  const terminated = event.workflowExecutionTerminatedEventAttributes;
  if (terminated) {
    return { ...base, type: 'terminated', reason: terminated.reason ?? '', by: terminated.identity ?? '' };
  }
  const continued = event.workflowExecutionContinuedAsNewEventAttributes;
  if (continued) return { ...base, type: 'continued_as_new', newRunId: continued.newExecutionRunId ?? '' };
  const taskFailed = event.workflowTaskFailedEventAttributes;
  if (taskFailed) return { ...base, type: 'workflow_task_failed', failure: failureOf(taskFailed.failure) };
  return null;
}

function decodeActivityEvent(event: ProtoEvent, base: Base): HistoryEvent | null {
  const scheduled = event.activityTaskScheduledEventAttributes;
  if (scheduled) {
    return {
      ...base,
      type: 'activity_scheduled',
      activity: scheduled.activityType?.name ?? '',
      queue: scheduled.taskQueue?.name ?? '',
      input: jsonOf(scheduled.input),
      summary: summaryOf(event.userMetadata),
    };
  }
  const started = event.activityTaskStartedEventAttributes;
  if (started) {
    return {
      ...base,
      type: 'activity_started',
      scheduledId: wholeNumber(started.scheduledEventId),
      attempt: started.attempt ?? 1,
      worker: started.identity ?? '',
      lastFailure: started.lastFailure ? failureOf(started.lastFailure) : null,
    };
  }
  const completed = event.activityTaskCompletedEventAttributes;
  if (completed) {
    const scheduledId = wholeNumber(completed.scheduledEventId);
    return { ...base, type: 'activity_completed', scheduledId, result: jsonOf(completed.result)[0] ?? null };
  }
  const failed = event.activityTaskFailedEventAttributes;
  if (failed) {
    const scheduledId = wholeNumber(failed.scheduledEventId);
    return { ...base, type: 'activity_failed', scheduledId, failure: failureOf(failed.failure) };
  }
  const timedOut = event.activityTaskTimedOutEventAttributes;
  if (timedOut) {
    const scheduledId = wholeNumber(timedOut.scheduledEventId);
    return { ...base, type: 'activity_timed_out', scheduledId, failure: failureOf(timedOut.failure) };
  }
  const canceled = event.activityTaskCanceledEventAttributes;
  if (canceled) {
    return { ...base, type: 'activity_canceled', scheduledId: wholeNumber(canceled.scheduledEventId) };
  }
  return null;
}

function decodeMessageEvent(event: ProtoEvent, base: Base): HistoryEvent | null {
  const signaled = event.workflowExecutionSignaledEventAttributes;
  if (signaled) {
    return {
      ...base,
      type: 'signaled',
      signal: signaled.signalName ?? '',
      input: jsonOf(signaled.input),
      by: signaled.identity ?? '',
    };
  }
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (accepted) {
    const input = accepted.acceptedRequest?.input;
    return { ...base, type: 'update_accepted', update: input?.name ?? '', input: jsonOf(input?.args) };
  }
  const cancel = event.workflowExecutionCancelRequestedEventAttributes;
  if (cancel)
    return { ...base, type: 'cancel_requested', cause: cancel.cause ?? '', by: cancel.identity ?? '' };
  const upserted = event.upsertWorkflowSearchAttributesEventAttributes;
  if (upserted) {
    const searchAttributes = jsonRecord(upserted.searchAttributes?.indexedFields);
    return { ...base, type: 'search_attributes_upserted', searchAttributes };
  }
  const memo = event.workflowPropertiesModifiedEventAttributes;
  if (memo) return { ...base, type: 'memo_upserted', memo: jsonRecord(memo.upsertedMemo?.fields) };
  return null;
}

/** `timerStarted`, `workflowTaskCompleted`, …: the attributes' name without its suffix. */
function nameOf(event: ProtoEvent): string {
  const field = Object.keys(event).find((key) => key.endsWith('EventAttributes'));
  return field?.slice(0, -'EventAttributes'.length) ?? 'unknown';
}
