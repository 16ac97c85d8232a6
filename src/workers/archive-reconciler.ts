import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { archiveRun } from '../activities/archive';
import type { ArchiveDeps } from '../activities/archive';
import { keepRun } from '../activities/keep-run';
import type { KeepRunDeps } from '../activities/keep-run';
import { archivedTicketIds } from '../client/archive-reader';
import { listKeptRuns } from '../client/kept-runs';
import type { TicketRun } from '../client/ticket-runs';

const EVERY_MS = 300_000;

export interface ReconcileDeps extends ArchiveDeps, KeepRunDeps {
  /** Ticket runs that have ended and that the server has not forgotten yet. */
  readonly closedRuns: () => Promise<readonly TicketRun[]>;
  /** Those that another run continues. */
  readonly continuedRuns: () => Promise<readonly TicketRun[]>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/**
 * Keeps continued runs that have no file, and archives closed tickets that have none: their run was terminated, or the file
 * could not be written in its time. One that cannot be archived is said and left for the next time.
 */
export async function reconcileArchive(deps: ReconcileDeps): Promise<void> {
  const continued = await deps.continuedRuns();
  for (const ticketId of new Set(continued.map((run) => run.ticketId))) {
    const kept = new Set((await listKeptRuns(deps.dataDir, ticketId)).map(({ runId }) => runId));
    for (const run of continued.filter((one) => one.ticketId === ticketId && !kept.has(one.runId))) {
      try {
        await keepRun(deps, run);
      } catch (error) {
        deps.log.warn({ err: error, ticketId }, 'an earlier run of a ticket could not be kept');
      }
    }
  }
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
