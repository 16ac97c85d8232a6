import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { paths } from '../config/paths';
import { TICKET_STATUSES } from '../domain/ticket';
import type { Trajectory, TrajectoryTurn } from '../domain/trajectory';
import type { ArchiveName } from './archive-name';
import { archiveName, parseArchiveName } from './archive-name';
import { TICKET_ID } from './ticket-id';
import { errorCode } from './error-code';

const MONTH = /^\d{4}-\d{2}$/;

const looksLikeTrajectory = z.looseObject({
  workflowId: z.string(),
  runId: z.string(),
  run: z.string(),
  runStartedAt: z.string(),
  ticket: z.looseObject({ id: z.string(), invariantId: z.string() }),
  status: z.enum(TICKET_STATUSES),
  turns: z.array(z.looseObject({ calls: z.array(z.unknown()) })),
  notes: z.array(z.unknown()),
  timeline: z.array(z.unknown()),
});

/** Files of earlier versions have no model in a turn, and no costs. */
type Costs = 'costUsd' | 'attemptCostUsd';
type StoredTrajectory = Omit<Trajectory, Costs | 'turns'> &
  Partial<Pick<Trajectory, Costs>> & {
    readonly turns: readonly (Omit<TrajectoryTurn, 'model'> & Partial<Pick<TrajectoryTurn, 'model'>>)[];
  };

const archiveFile = z.object({
  version: z.literal(1),
  archived_at: z.string(),
  // The rest of the shape is what `writeArchive` wrote; checking every field of every turn again would buy nothing.
  trajectory: z.custom<StoredTrajectory>((value) => looksLikeTrajectory.safeParse(value).success),
});
export type ArchiveFile = z.input<typeof archiveFile>;

/** Where the archive of a ticket belongs: by the month in which its last run began. */
export function archivePath(
  dataDir: string,
  { id, invariantId }: { readonly id: string; readonly invariantId: string },
  runStartedAt: string,
): string {
  const name = archiveName(id, invariantId, runStartedAt);
  return join(paths.archive(dataDir), runStartedAt.slice(0, 7), name);
}

/** The trajectory of an archived ticket; null when there is none, or its file cannot be read as one. */
export async function readArchived(dataDir: string, ticketId: string): Promise<Trajectory | null> {
  if (!TICKET_ID.test(ticketId)) return null;
  for (const month of await listMonths(dataDir)) {
    for (const { name } of (await listFiles(dataDir, month)).filter((file) => file.ticketId === ticketId)) {
      const trajectory = await readOne(join(paths.archive(dataDir), month, name));
      if (trajectory) return trajectory;
    }
  }
  return null;
}

/**
 * Archived trajectories, those whose last run began last first, each file opened only when its turn comes, so that a reader can
 * stop early. Files whose name says that they are not wanted are not opened; unreadable ones are left out.
 */
export async function* readArchive(
  dataDir: string,
  isWanted: (name: ArchiveName) => boolean,
): AsyncGenerator<Trajectory> {
  for (const month of await listMonths(dataDir)) {
    const open = (name: string) => readOne(join(paths.archive(dataDir), month, name));
    const files: Ranked[] = [];
    for (const file of (await listFiles(dataDir, month)).filter(isWanted)) {
      const { name, ticketId, key } = file;
      if (key) {
        files.push({ at: key.runStartedAt, ticketId, read: () => open(name) });
        continue;
      }
      const trajectory = await open(name);
      if (!trajectory) continue;
      files.push({ at: trajectory.runStartedAt ?? '', ticketId, read: () => Promise.resolve(trajectory) });
    }
    for (const { read } of files.sort(newestFirst)) {
      const trajectory = await read();
      if (trajectory) yield trajectory;
    }
  }
}

/** IDs of all archived tickets, by the names of their files. */
export async function archivedTicketIds(dataDir: string): Promise<ReadonlySet<string>> {
  const months = await listMonths(dataDir);
  const files = await Promise.all(months.map((month) => listFiles(dataDir, month)));
  return new Set(files.flat().map(({ ticketId }) => ticketId));
}

interface Ranked {
  readonly at: string;
  readonly ticketId: string;
  readonly read: () => Promise<Trajectory | null>;
}

function newestFirst(a: Ranked, b: Ranked): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.ticketId < b.ticketId ? 1 : -1;
}

async function listFiles(dataDir: string, month: string): Promise<readonly ArchiveName[]> {
  const names = await list(join(paths.archive(dataDir), month));
  return names.map(parseArchiveName).filter((file) => file !== null);
}

async function listMonths(dataDir: string): Promise<readonly string[]> {
  return (await list(paths.archive(dataDir)))
    .filter((name) => MONTH.test(name))
    .sort()
    .reverse();
}

async function list(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

async function readOne(path: string): Promise<Trajectory | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  const parsed = archiveFile.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const trajectory = complete(parsed.data.trajectory);
  // The archive is written as the last step of the run, so its end is not in it; after a closed ticket only one end is possible.
  const hasEnded = trajectory.run === 'running' && trajectory.closedAt !== null;
  return hasEnded ? { ...trajectory, run: 'completed' } : trajectory;
}

function complete(stored: StoredTrajectory): Trajectory {
  return {
    ...stored,
    costUsd: stored.costUsd ?? null,
    attemptCostUsd: stored.attemptCostUsd ?? null,
    turns: stored.turns.map((turn) => ({ ...turn, model: turn.model ?? null })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}
