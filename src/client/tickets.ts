import { WorkflowNotFoundError } from '@temporalio/common';
import { undosByPerson } from '../domain/edit-journal';
import { foldTrajectory } from '../domain/fold-trajectory';
import type { HistoryEvent } from '../domain/history-event';
import type { TicketDetail, TicketFilter, TicketView } from '../domain/ticket-view';
import { matchesFilter, ticketView, withUndos } from '../domain/ticket-view';
import type { Trajectory } from '../domain/trajectory';
import { TICKET_ID } from './ticket-id';
import { readArchive, readArchived } from './archive-reader';
import { readEditJournal } from './edit-journal-reader';
import type { TemporalAccess } from './temporal';
import { createHistoryReader } from './ticket-history';
import { listRuns } from './ticket-runs';
import type { RunFilter, TicketRun } from './ticket-runs';

interface TicketPage {
  readonly items: readonly TicketView[];
  readonly nextCursor: string | null;
}

interface TicketQuery extends TicketFilter {
  /** 1 to 200. */
  readonly limit: number;
  readonly cursor?: string;
}

/** Reads tickets from Temporal's visibility and histories, and from the archive; needs no worker. */
export interface TicketReader {
  /** Newest first. Throws InvalidCursor. */
  list(query: TicketQuery): Promise<TicketPage>;
  /** With what a person undid of it since, from the edit journal. */
  get(ticketId: string): Promise<TicketDetail | null>;
  trajectory(ticketId: string): Promise<Trajectory | null>;
}

/** The cursor is not one that a list has given out. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor';
}

/** Where live tickets come from. */
export interface TicketSource {
  /** Runs that may match; more is allowed, the history decides. */
  runs(filter: RunFilter): Promise<readonly TicketRun[]>;
  /** Rejects with WorkflowNotFoundError when the server has forgotten it. */
  history(run: TicketRun): Promise<readonly HistoryEvent[]>;
}

export function temporalTickets(access: TemporalAccess, dataDir: string): TicketSource {
  const readHistory = createHistoryReader(access, dataDir);
  return {
    runs: (filter) => listRuns(access, filter),
    history: (run) => readHistory(run.workflowId, run.runId),
  };
}

export interface TicketReaderDependencies {
  readonly source: TicketSource;
  readonly namespace: string;
  readonly dataDir: string;
  /** Temporal Web UI; null when it is not known. Asked anew, because it may start later than the reader. */
  readonly uiUrl: () => Promise<string | null>;
}

/** Histories that are fetched at the same time for one list. */
const CONCURRENCY = 8;
/** Trajectories of closed runs that are kept in memory: they do not change any more. */
const MAX_CACHED = 500;

/** A ticket's place in the list: the start of its run, then its ID. */
interface Position {
  readonly at: string;
  readonly id: string;
}
type Entry = Position &
  (
    | { readonly source: 'run'; readonly run: TicketRun }
    | { readonly source: 'archive'; readonly trajectory: Trajectory }
  );

export function createTicketReader(deps: TicketReaderDependencies): TicketReader {
  const { source, namespace, dataDir, uiUrl } = deps;
  const closed = new Map<string, Trajectory>();

  async function readRun(run: TicketRun): Promise<Trajectory | null> {
    const known = closed.get(run.runId);
    if (known) return known;
    let trajectory: Trajectory;
    try {
      trajectory = foldTrajectory(await source.history(run));
    } catch (error) {
      // Retention took the history while visibility still listed it: the archive has it.
      if (error instanceof WorkflowNotFoundError) return await readArchived(dataDir, run.ticketId);
      throw error;
    }
    if (trajectory.run !== 'running') remember(closed, run.runId, trajectory);
    return trajectory;
  }

  const read = async (entry: Entry) => (entry.source === 'run' ? await readRun(entry.run) : entry.trajectory);
  const view = (trajectory: Trajectory, ui: string | null) =>
    ticketView(trajectory, temporalUrl(ui, namespace, trajectory));

  async function trajectory(ticketId: string): Promise<Trajectory | null> {
    if (!TICKET_ID.test(ticketId)) return null;
    const [run] = await source.runs({ ticketId });
    const found = (run ? await readRun(run) : null) ?? (await readArchived(dataDir, ticketId));
    if (found) return found;
    // While a run is being continued, the next one may not be listed yet.
    const [continued] = await source.runs({ ticketId, isContinued: true });
    return continued ? await readRun(continued) : null;
  }

  return {
    trajectory,
    async get(ticketId) {
      const found = await trajectory(ticketId);
      const ticket = found && view(found, await uiUrl());
      if (!ticket) return null;
      const journal = ticket.service === null ? [] : await readEditJournal(dataDir, ticket.service);
      return withUndos(ticket, undosByPerson(journal, ticket.id));
    },
    async list(query) {
      const after = query.cursor === undefined ? null : decodeCursor(query.cursor);
      const entries = await candidates(deps, query, after);
      const ui = await uiUrl();
      const items: TicketView[] = [];
      // A page may need more candidates than items: visibility lags behind, and the history has the last word.
      for (let from = 0; from < entries.length && items.length <= query.limit; from += CONCURRENCY) {
        const trajectories = await Promise.all(entries.slice(from, from + CONCURRENCY).map(read));
        for (const found of trajectories) {
          const item = found ? view(found, ui) : null;
          if (item && matchesFilter(item, query)) items.push(item);
        }
      }
      if (items.length <= query.limit) return { items, nextCursor: null };
      const page = items.slice(0, query.limit);
      const last = entries.find((entry) => entry.id === page.at(-1)?.id);
      return { items: page, nextCursor: last ? encodeCursor(last) : null };
    },
  };
}

/** Runs and archives after the cursor, newest first, each ticket once; the run wins while it exists. */
async function candidates(
  { source, dataDir }: TicketReaderDependencies,
  query: TicketQuery,
  after: Position | null,
): Promise<readonly Entry[]> {
  const entries = new Map<string, Entry>();
  for (const run of await source.runs(query)) {
    const known = entries.get(run.ticketId);
    if (!known || known.at < run.startedAt) {
      entries.set(run.ticketId, { source: 'run', run, at: run.startedAt, id: run.ticketId });
    }
  }
  const isWanted = (entry: Position) => after === null || newestFirst(after, entry) < 0;
  if (mayBeArchived(query.status)) {
    const archive = readArchive(dataDir, ({ ticketId, key }) => {
      if (entries.has(ticketId)) return false;
      if (key === null) return true;
      const isAsked = query.invariant === undefined || query.invariant === key.invariantId;
      return isAsked && isWanted({ at: key.runStartedAt, id: ticketId });
    });
    let wanted = 0;
    for await (const trajectory of archive) {
      const entry = archiveEntry(trajectory, query);
      if (!entry || !isWanted(entry)) continue;
      entries.set(entry.id, entry);
      wanted += 1;
      // What follows is older.
      if (wanted > query.limit) break;
    }
  }
  return [...entries.values()].filter(isWanted).sort(newestFirst);
}

/** The archive holds closed tickets: a list of open ones has nothing to look for in it. */
function mayBeArchived(status: TicketFilter['status']): boolean {
  return status === undefined || status === 'completed' || status === 'failed';
}

function archiveEntry(trajectory: Trajectory, filter: TicketFilter): Entry | null {
  const item = ticketView(trajectory, null);
  if (!item || !matchesFilter(item, filter)) return null;
  return { source: 'archive', trajectory, at: trajectory.runStartedAt ?? item.createdAt, id: item.id };
}

function newestFirst(a: Position, b: Position): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.id === b.id ? 0 : a.id < b.id ? 1 : -1;
}

function encodeCursor({ at, id }: Position): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

function decodeCursor(cursor: string): Position {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const [at, id] = Array.isArray(value) ? (value as unknown[]) : [];
    if (typeof at === 'string' && typeof id === 'string') return { at, id };
  } catch {
    // Falls through: not JSON is as wrong as the wrong JSON.
  }
  throw new InvalidCursor(
    `cursor ${JSON.stringify(cursor.slice(0, 80))} is not one of this list; use next_cursor of the page before, or leave it out.`,
  );
}

function temporalUrl(
  uiUrl: string | null,
  namespace: string,
  { workflowId, runId }: Trajectory,
): string | null {
  if (uiUrl === null || runId === '') return null;
  const path = `namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}/${runId}/history`;
  return `${uiUrl.replace(/\/$/, '')}/${path}`;
}

function remember(cache: Map<string, Trajectory>, runId: string, trajectory: Trajectory): void {
  const [oldest] = cache.keys();
  if (cache.size >= MAX_CACHED && oldest !== undefined) cache.delete(oldest);
  cache.set(runId, trajectory);
}
