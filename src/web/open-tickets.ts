import type { TemporalAccess } from '../client/temporal';
import { listRuns } from '../client/ticket-runs';
import type { OpenRun } from './dependencies';

/** Open tickets by invariant: the workflow ID of a ticket is its invariant's ID. */
export async function openTickets(access: TemporalAccess): Promise<ReadonlyMap<string, OpenRun>> {
  const runs = await listRuns(access, { status: 'open' });
  return new Map(runs.map((run) => [run.workflowId, run]));
}
