import { WorkflowNotFoundError } from '@temporalio/common';
import type { TemporalAccess } from '../client/temporal';
import { SIGNALS } from '../workflows/contract';
import type { CancelReason, NoteInput, PersonRequest } from '../workflows/contract';
import type { RunAddress, TicketCommands } from './dependencies';

const DEADLINE_MS = 5_000;

/** Signals and Temporal's own cancellation: the server keeps them while no agent is there. */
export function ticketCommands(access: TemporalAccess): TicketCommands {
  const handle = ({ workflowId, runId }: RunAddress) => access.client.workflow.getHandle(workflowId, runId);
  const send = async (work: () => Promise<unknown>): Promise<boolean> => {
    try {
      await access.connection.withDeadline(Date.now() + DEADLINE_MS, work);
      return true;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  };
  return {
    note: (run, note) => send(() => handle(run).signal<[NoteInput]>(SIGNALS.note, note)),
    cancel: (run, reason) =>
      send(async () => {
        // The reason first: the workflow must know it when the cancellation wakes it.
        await handle(run).signal<[CancelReason]>(SIGNALS.cancelReason, reason);
        await handle(run).cancel();
      }),
    retry: (run, request) => send(() => handle(run).signal<[PersonRequest]>(SIGNALS.retry, request)),
  };
}
