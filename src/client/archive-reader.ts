import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { paths } from '../config/paths';
import { TICKET_STATUSES } from '../domain/ticket';
import type { Trajectory, TrajectoryTurn } from '../domain/trajectory';
import { errorCode } from './error-code';

/** Also keeps a ticket ID from leaving the archive's folder. */
export const TICKET_ID = /^[A-Za-z0-9_-]{1,64}$/;
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
export function archivePath(dataDir: string, ticketId: string, runStartedAt: string): string {
  return join(paths.archive(dataDir), runStartedAt.slice(0, 7), `${ticketId}.json`);
}

/** The trajectory of an archived ticket; null when there is none, or its file cannot be read as one. */
export async function readArchived(dataDir: string, ticketId: string): Promise<Trajectory | null> {
  if (!TICKET_ID.test(ticketId)) return null;
  for (const month of await listMonths(dataDir)) {
    const trajectory = await readOne(join(paths.archive(dataDir), month, `${ticketId}.json`));
    if (trajectory) return trajectory;
  }
  return null;
}

/**
 * Every archived trajectory, newest month first, month by month, so that a reader can stop early. Known tickets and
 * unreadable files are left out.
 */
export async function* readArchive(
  dataDir: string,
  isKnown: (ticketId: string) => boolean = () => false,
): AsyncGenerator<readonly Trajectory[]> {
  for (const month of await listMonths(dataDir)) {
    const folder = join(paths.archive(dataDir), month);
    const names = (await list(folder)).filter((name) => isWanted(name, isKnown));
    const found: Trajectory[] = [];
    for (const name of names) {
      const trajectory = await readOne(join(folder, name));
      if (trajectory) found.push(trajectory);
    }
    yield found;
  }
}

/** IDs of all archived tickets, by the names of their files. */
export async function archivedTicketIds(dataDir: string): Promise<ReadonlySet<string>> {
  const months = await listMonths(dataDir);
  const names = await Promise.all(months.map((month) => list(join(paths.archive(dataDir), month))));
  const files = names.flat().filter((name) => isWanted(name, () => false));
  return new Set(files.map((name) => name.slice(0, -'.json'.length)));
}

function isWanted(name: string, isKnown: (ticketId: string) => boolean): boolean {
  const id = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
  return TICKET_ID.test(id) && !isKnown(id);
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
