import type { Json } from './json';

/** Why an activity or a workflow failed, as Temporal recorded it. */
export interface RecordedFailure {
  readonly message: string;
  /** ApplicationFailure type, `Timeout:<kind>`, or null when Temporal recorded none. */
  readonly type: string | null;
  readonly details: readonly Json[];
  readonly cause: RecordedFailure | null;
}

interface EventBase {
  /** Unique within one run only. */
  readonly id: number;
  /** RFC 3339 UTC with milliseconds. */
  readonly at: string;
}

interface ActivityEnd extends EventBase {
  readonly scheduledId: number;
}

/**
 * The events of a workflow's history that have a meaning for us, decoded to plain JSON. A history that was continued as
 * new is one list: each run begins with its own `started`.
 */
export type HistoryEvent =
  | (EventBase & {
      readonly type: 'started';
      readonly workflowId: string;
      readonly runId: string;
      readonly workflowType: string;
      readonly input: readonly Json[];
      /** Run that this one continues; null for the first. */
      readonly continuedFrom: string | null;
      readonly searchAttributes: Readonly<Record<string, Json>>;
      readonly memo: Readonly<Record<string, Json>>;
    })
  | (EventBase & { readonly type: 'completed'; readonly result: Json })
  | (EventBase & { readonly type: 'failed'; readonly failure: RecordedFailure })
  | (EventBase & { readonly type: 'timed_out' })
  | (EventBase & { readonly type: 'terminated'; readonly reason: string; readonly by: string })
  | (EventBase & { readonly type: 'canceled' })
  | (EventBase & { readonly type: 'continued_as_new'; readonly newRunId: string })
  | (EventBase & { readonly type: 'cancel_requested'; readonly cause: string; readonly by: string })
  | (EventBase & {
      readonly type: 'activity_scheduled';
      readonly activity: string;
      readonly queue: string;
      readonly input: readonly Json[];
      readonly summary: string | null;
    })
  /** Written when the activity ends: only then it is known which attempt did it. */
  | (ActivityEnd & {
      readonly type: 'activity_started';
      readonly attempt: number;
      readonly worker: string;
      readonly lastFailure: RecordedFailure | null;
    })
  | (ActivityEnd & { readonly type: 'activity_completed'; readonly result: Json })
  | (ActivityEnd & { readonly type: 'activity_failed'; readonly failure: RecordedFailure })
  | (ActivityEnd & { readonly type: 'activity_timed_out'; readonly failure: RecordedFailure })
  | (ActivityEnd & { readonly type: 'activity_canceled' })
  | (EventBase & {
      readonly type: 'signaled';
      readonly signal: string;
      readonly input: readonly Json[];
      readonly by: string;
    })
  | (EventBase & {
      readonly type: 'update_accepted';
      readonly update: string;
      readonly input: readonly Json[];
    })
  | (EventBase & {
      readonly type: 'search_attributes_upserted';
      /** Null: the attribute was removed. */
      readonly searchAttributes: Readonly<Record<string, Json>>;
    })
  | (EventBase & { readonly type: 'memo_upserted'; readonly memo: Readonly<Record<string, Json>> })
  /** The workflow code could not go on: a bug or an incompatible version, retried by Temporal for ever. */
  | (EventBase & { readonly type: 'workflow_task_failed'; readonly failure: RecordedFailure })
  /** Timers, workflow tasks, children: nothing the folds need. */
  | (EventBase & { readonly type: 'other'; readonly name: string });
