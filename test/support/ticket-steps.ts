import type { HistoryEvent } from '../../src/domain/history-event';

/** A worker process: its name is its command. */
export type WorkerName = 'agent' | 'monitor';

export interface Step {
  readonly activity: string;
  /** Of the activities of this name in one run of the ticket. */
  readonly nth: number;
  /** The activity right before it. */
  readonly follows: string | null;
  /** The activity right after it; left out where it may be one or another. */
  readonly next?: string;
  /** Who carries it out; what comes next is always decided by a workflow task of the agent. */
  readonly worker: WorkerName;
}

/** The ticket of a service that died: one look, one restart, the proof. `propose` is that of the restart. */
export const STEPS = {
  claim: { activity: 'claimTicket', nth: 1, follows: null, worker: 'agent' },
  propose: { activity: 'proposeStep', nth: 2, follows: 'inspect_service', worker: 'agent' },
  decide: { activity: 'decide', nth: 1, follows: 'proposeStep', worker: 'agent' },
  tool: { activity: 'service_control', nth: 1, follows: 'decide', worker: 'agent' },
  verify: { activity: 'verifyRecovery', nth: 1, follows: 'update_ticket_status', worker: 'monitor' },
  close: { activity: 'archiveTicket', nth: 1, follows: 'verifyRecovery', worker: 'agent' },
} as const satisfies Record<string, Step>;
export type StepName = keyof typeof STEPS;
export const STEP_NAMES = Object.keys(STEPS) as StepName[];

/**
 * `before`: what comes before is done, the step itself is not in the history. `inside`: it is carried out, and the server has
 * not heard the end. `after`: its result is in the history and nothing that follows from it is.
 */
export const MOMENTS = ['before', 'inside', 'after'] as const;
export type Moment = (typeof MOMENTS)[number];

/** An activity that the server waits for. */
export interface PendingActivity {
  readonly activity: string;
  readonly isStarted: boolean;
  readonly attempt: number;
}

/** The proof: where a ticket stands by what the server has written, as seen from one step. */
export function momentOf(
  history: readonly HistoryEvent[],
  pending: readonly PendingActivity[],
  step: Step,
): Moment | 'elsewhere' {
  const scheduled = history.filter((event) => event.type === 'activity_scheduled');
  const asked = scheduled.filter((event) => event.activity === step.activity).length;
  const last = scheduled.at(-1);
  const isItself = asked === step.nth && last?.activity === step.activity;
  const [waitedFor, ...others] = pending;
  if (waitedFor) {
    const isBeingDone =
      waitedFor.activity === step.activity && waitedFor.isStarted && waitedFor.attempt === 1;
    return isItself && isBeingDone && others.length === 0 ? 'inside' : 'elsewhere';
  }
  const isDecidingNext = nameOf(history.at(-1)) === 'workflowTaskStarted';
  const isLastDone =
    !last || history.some((event) => event.type === 'activity_completed' && event.scheduledId === last.id);
  if (!isDecidingNext || !isLastDone) return 'elsewhere';
  if (isItself) return 'after';
  return asked === step.nth - 1 && (last?.activity ?? null) === step.follows ? 'before' : 'elsewhere';
}

function nameOf(event: HistoryEvent | undefined): string | null {
  return event?.type === 'other' ? event.name : null;
}
