import { rm } from 'node:fs/promises';
import { ApplicationFailure, WorkflowNotFoundError } from '@temporalio/common';
import type { Logger } from 'pino';
import { TICKET_ID } from '../client/ticket-id';
import { encodeRun, keptRunPath, listKeptRuns, placeOfRun } from '../client/kept-runs';
import { MAX_EARLIER } from '../client/ticket-history';
import type { HistoryReader } from '../client/ticket-history';
import { errorText } from '../config/error-text';
import { FAILURES } from '../domain/failures';
import type { AgentActivities } from '../workflows/agent-contract';
import type { TicketRunInput } from '../workflows/contract';
import { whileHeartbeating } from './heartbeat';
import { writeDurably } from './write-durably';

export interface KeepRunDeps {
  readonly dataDir: string;
  /** Events of that run alone. */
  readonly readRun: HistoryReader;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** The activity `keepRun`. */
export function keepRunActivity(deps: KeepRunDeps): Pick<AgentActivities, 'keepRun'> {
  return { keepRun: (input) => whileHeartbeating(() => keepRun(deps, input)) };
}

/**
 * Keeps a closed run of a ticket as a file; of a ticket with very many runs the first one and the last ones. Repeatable: the
 * same run goes to the same file. Throws Storage when it cannot be written, InvalidInput when it is not that ticket's.
 */
export async function keepRun(
  deps: KeepRunDeps,
  { workflowId, runId, ticketId }: TicketRunInput,
): Promise<void> {
  const events = await readOrNull(deps, workflowId, runId);
  if (!events) {
    deps.log.warn({ ticketId, runId }, 'the server has forgotten an earlier run before it could be kept');
    return;
  }
  const place = placeOfRun(events);
  if (place?.ticketId !== ticketId || !TICKET_ID.test(ticketId)) {
    throw ApplicationFailure.nonRetryable(
      `run ${runId} of ${workflowId} is not one of ticket ${JSON.stringify(ticketId)}`,
      FAILURES.invalidInput,
    );
  }
  const path = keptRunPath(deps.dataDir, { ticketId, runId, number: place.number });
  try {
    await writeDurably(path, await encodeRun(events));
    for (const { number, path: old } of await listKeptRuns(deps.dataDir, ticketId)) {
      if (number > 1 && number < place.number - MAX_EARLIER) await rm(old, { force: true });
    }
  } catch (error) {
    throw ApplicationFailure.retryable(`cannot write ${path}: ${errorText(error)}`, FAILURES.storage);
  }
  deps.log.info({ ticketId, path }, 'history so far kept');
}

async function readOrNull({ readRun }: KeepRunDeps, workflowId: string, runId: string) {
  try {
    return await readRun(workflowId, runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}
