import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import { fetchRun } from '../client/history';
import type { TemporalAccess } from '../client/temporal';
import { SIGNALS } from '../workflows/contract';
import type { CancelReason, NoteInput, PersonRequest } from '../workflows/contract';
import type { RunAddress, TicketCommands } from './dependencies';

const DEADLINE_MS = 5_000;

/**
 * Signals and Temporal's own cancellation: the server keeps them while no agent is there. Where the run has been continued
 * meanwhile, they go to the one that continues it.
 */
export function ticketCommands(access: TemporalAccess): TicketCommands {
  const sendOnce = async (
    { workflowId, runId }: RunAddress,
    work: (ticket: WorkflowHandle) => Promise<unknown>,
  ): Promise<boolean> => {
    const handle = access.client.workflow.getHandle(workflowId, runId);
    try {
      await access.connection.withDeadline(Date.now() + DEADLINE_MS, () => work(handle));
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };
  const send = async (
    run: RunAddress,
    work: (ticket: WorkflowHandle) => Promise<unknown>,
  ): Promise<boolean> => {
    for (let at: RunAddress | null = run; at !== null; at = await findNextRun(access, at)) {
      if (await sendOnce(at, work)) return true;
    }
    return false;
  };
  return {
    note: (run, note) => send(run, (ticket) => ticket.signal<[NoteInput]>(SIGNALS.note, note)),
    cancel: (run, reason) =>
      send(run, async (ticket) => {
        // The reason first: the workflow must know it when the cancellation wakes it.
        await ticket.signal<[CancelReason]>(SIGNALS.cancelReason, reason);
        await ticket.cancel();
      }),
    retry: (run, request) => send(run, (ticket) => ticket.signal<[PersonRequest]>(SIGNALS.retry, request)),
  };
}

async function findNextRun(access: TemporalAccess, run: RunAddress): Promise<RunAddress | null> {
  if (run.runId === undefined) return null;
  try {
    const last = (await fetchRun(access, run.workflowId, run.runId)).at(-1);
    return last?.type === 'continued_as_new' ? { ...run, runId: last.newRunId } : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
