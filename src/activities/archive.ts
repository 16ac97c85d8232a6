import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import { TICKET_ID } from '../client/ticket-id';
import { archivePath } from '../client/archive-reader';
import type { ArchiveFile } from '../client/archive-reader';
import type { HistoryReader } from '../client/ticket-history';
import { errorText } from '../config/error-text';
import { FAILURES } from '../domain/failures';
import { foldTrajectory } from '../domain/fold-trajectory';
import type { AgentActivities } from '../workflows/agent-contract';
import type { TicketRunInput } from '../workflows/contract';
import { whileHeartbeating } from './heartbeat';
import { writeDurably } from './write-durably';

export interface ArchiveDeps {
  readonly dataDir: string;
  readonly readHistory: HistoryReader;
  readonly log: Pick<Logger, 'info'>;
}

/** The activity `archiveTicket`. */
export function archiveActivity(deps: ArchiveDeps): Pick<AgentActivities, 'archiveTicket'> {
  return { archiveTicket: (input) => whileHeartbeating(() => archiveRun(deps, input)) };
}

/**
 * Folds the ticket's history so far and keeps it as a file. Repeatable: the same ticket goes
 * to the same file. Throws Storage when the file cannot be written, InvalidInput when the history is not that ticket's.
 */
export async function archiveRun(
  deps: ArchiveDeps,
  { workflowId, runId, ticketId }: TicketRunInput,
): Promise<void> {
  const trajectory = foldTrajectory(await deps.readHistory(workflowId, runId));
  if (trajectory.ticket?.id !== ticketId || !TICKET_ID.test(ticketId) || trajectory.runStartedAt === null) {
    throw ApplicationFailure.nonRetryable(
      `the history of ${workflowId} (run ${runId}) is not that of ticket ${JSON.stringify(ticketId)}, but of ${JSON.stringify(trajectory.ticket?.id ?? null)}`,
      FAILURES.invalidInput,
    );
  }
  const file: ArchiveFile = { version: 1, archived_at: new Date().toISOString(), trajectory };
  const path = archivePath(deps.dataDir, trajectory.ticket, trajectory.runStartedAt);
  try {
    await writeDurably(path, `${JSON.stringify(file)}\n`);
  } catch (error) {
    throw ApplicationFailure.retryable(`cannot write ${path}: ${errorText(error)}`, FAILURES.storage);
  }
  deps.log.info({ ticketId, path, status: trajectory.status }, 'ticket archived');
}
