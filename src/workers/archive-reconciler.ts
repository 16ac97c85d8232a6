import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { archiveRun } from '../activities/archive';
import type { ArchiveDeps } from '../activities/archive';
import { archivedTicketIds } from '../client/archive-reader';
import type { TicketRun } from '../client/ticket-runs';

const EVERY_MS = 300_000;

export interface ReconcileDeps extends ArchiveDeps {
  /** Ticket runs that have ended and that the server has not forgotten yet. */
  readonly closedRuns: () => Promise<readonly TicketRun[]>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Archives closed tickets that have no file: their run was terminated, or the archive could not be written when it closed.
 * One that cannot be archived is said and left for the next time.
 */
export async function reconcileArchive(deps: ReconcileDeps): Promise<void> {
  const [runs, archived] = await Promise.all([deps.closedRuns(), archivedTicketIds(deps.dataDir)]);
  for (const run of runs.filter(({ ticketId }) => !archived.has(ticketId))) {
    try {
      await archiveRun(deps, run);
    } catch (error) {
      deps.log.warn({ err: error, ticketId: run.ticketId }, 'a closed ticket could not be archived');
    }
  }
}

/** Reconciles at once and then every five minutes, until aborted. */
export async function keepArchiveWhole(deps: ReconcileDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await reconcileArchive(deps);
    } catch (error) {
      deps.log.warn({ err: error }, 'the archive could not be compared with the closed tickets');
    }
    // Does not keep a process whose worker has failed.
    await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
