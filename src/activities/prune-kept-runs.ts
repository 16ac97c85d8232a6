import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { archivedTicketIds } from '../client/archive-reader';
import { listTicketsWithKeptRuns } from '../client/kept-runs';
import { paths } from '../config/paths';

/** Removes the kept runs of tickets whose archive holds them all and which the server does not know any more. */
export async function pruneKeptRuns(
  dataDir: string,
  isOnServer: (ticketId: string) => Promise<boolean>,
): Promise<void> {
  const archived = await archivedTicketIds(dataDir);
  for (const ticketId of await listTicketsWithKeptRuns(dataDir)) {
    if (!archived.has(ticketId) || (await isOnServer(ticketId))) continue;
    await rm(join(paths.segments(dataDir), ticketId), { recursive: true, force: true });
  }
}
