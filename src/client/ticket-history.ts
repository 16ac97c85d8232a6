import { WorkflowNotFoundError } from '@temporalio/common';
import { LRUCache } from 'lru-cache';
import type { HistoryEvent } from '../domain/history-event';
import { fetchRun } from './history';
import { listKeptRuns, placeOfRun, readKeptRun } from './kept-runs';
import type { TemporalAccess } from './temporal';

/**
 * Every event of a ticket's run, oldest first, preceded by those of the runs it continues: the first one and the last ones
 * before it (`MAX_EARLIER`). Rejects with WorkflowNotFoundError when the run itself is gone.
 */
export type HistoryReader = (workflowId: string, runId: string) => Promise<readonly HistoryEvent[]>;

/** Runs read before the asked one, besides the very first; more would take seconds to read, and nobody reads it. */
export const MAX_EARLIER = 30;
/** Events of closed runs kept in memory: lists of open tickets ask for them again and again. */
const MAX_CACHED_EVENTS = 60_000;

/** Earlier runs come from the files in which they are kept, and from the server while those do not exist. */
export function createHistoryReader(access: TemporalAccess, dataDir: string): HistoryReader {
  const cache = new LRUCache<string, readonly HistoryEvent[]>({
    maxSize: MAX_CACHED_EVENTS,
    sizeCalculation: (events) => Math.max(1, events.length),
  });

  async function fromServer(workflowId: string, runId: string): Promise<readonly HistoryEvent[] | null> {
    try {
      return await fetchRun(access, workflowId, runId);
    } catch (error) {
      // Retention took it; what is left is still the truth about the rest.
      if (error instanceof WorkflowNotFoundError) return null;
      throw error;
    }
  }

  return async (workflowId, runId) => {
    const asked = await fetchRun(access, workflowId, runId);
    const earlier = continuedFrom(asked);
    if (earlier === null) return asked;
    const ticketId = placeOfRun(asked)?.ticketId ?? '';
    const kept = await listKeptRuns(dataDir, ticketId);
    const read = async (id: string): Promise<readonly HistoryEvent[] | null> => {
      const known = cache.get(id);
      if (known) return known;
      const file = kept.find((run) => run.runId === id);
      const events = (file && (await readKeptRun(file))) ?? (await fromServer(workflowId, id));
      if (events) cache.set(id, events);
      return events;
    };
    const runs = [asked];
    let next: string | null = earlier;
    while (next !== null && runs.length <= MAX_EARLIER) {
      const events: readonly HistoryEvent[] | null = await read(next);
      if (!events) break;
      runs.unshift(events);
      next = continuedFrom(events);
    }
    const opening = next === null ? undefined : kept.find(({ number }) => number === 1);
    if (opening) runs.unshift((await read(opening.runId)) ?? []);
    return runs.flat();
  };
}

function continuedFrom([first]: readonly HistoryEvent[]): string | null {
  return first?.type === 'started' ? first.continuedFrom : null;
}
