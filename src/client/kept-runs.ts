import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { z } from 'zod';
import { paths } from '../config/paths';
import type { HistoryEvent } from '../domain/history-event';
import { isRecord } from '../domain/json';
import { TICKET_ID } from './ticket-id';
import { errorCode } from './error-code';

const NAME = /^(\d{6})-([A-Za-z0-9-]{1,64})\.json\.gz$/;

/** A file that holds an earlier run of a ticket. */
export interface KeptRun {
  readonly path: string;
  readonly runId: string;
  /** Its place among the runs of its ticket, from 1. */
  readonly number: number;
}

const keptRunFile = z.object({
  version: z.literal(1),
  // What `encodeRun` wrote; checking every field of every event again would buy nothing.
  events: z.custom<readonly HistoryEvent[]>(
    (value) =>
      z.array(z.looseObject({ id: z.number(), at: z.string(), type: z.string() })).safeParse(value).success,
  ),
});

export function keptRunPath(
  dataDir: string,
  { ticketId, runId, number }: { readonly ticketId: string } & Pick<KeptRun, 'runId' | 'number'>,
): string {
  return join(paths.segments(dataDir), ticketId, `${String(number).padStart(6, '0')}-${runId}.json.gz`);
}

/** Earlier runs of a ticket that are kept as files, oldest first. */
export async function listKeptRuns(dataDir: string, ticketId: string): Promise<readonly KeptRun[]> {
  if (!TICKET_ID.test(ticketId)) return [];
  const folder = join(paths.segments(dataDir), ticketId);
  return (await listNames(folder)).sort().flatMap((name) => {
    const [, number, runId] = NAME.exec(name) ?? [];
    return runId === undefined ? [] : [{ path: join(folder, name), runId, number: Number(number) }];
  });
}

/** Tickets of which earlier runs are kept. */
export async function listTicketsWithKeptRuns(dataDir: string): Promise<readonly string[]> {
  return (await listNames(paths.segments(dataDir))).filter((name) => TICKET_ID.test(name));
}

/** Null when the file is gone or cannot be read as a run. */
export async function readKeptRun({ path }: KeptRun): Promise<readonly HistoryEvent[] | null> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  try {
    const text = (await promisify(gunzip)(content)).toString('utf8');
    return keptRunFile.parse(JSON.parse(text)).events;
  } catch {
    return null;
  }
}

/** Without what no fold needs, which is half of it. */
export async function encodeRun(events: readonly HistoryEvent[]): Promise<Buffer> {
  const file: z.input<typeof keptRunFile> = {
    version: 1,
    events: events.filter(({ type }) => type !== 'other'),
  };
  return await promisify(gzip)(JSON.stringify(file));
}

/** Which ticket a run belongs to, and its place among the ticket's runs; null when its start does not say. */
export function placeOfRun(
  events: readonly HistoryEvent[],
): { readonly ticketId: string; readonly number: number } | null {
  const [first] = events;
  const input = first?.type === 'started' ? (first.input[0] ?? null) : null;
  if (!isRecord(input)) return null;
  const { ticket = null, carried = null } = input;
  const ticketId = isRecord(ticket) ? ticket['id'] : null;
  const earlier = isRecord(carried) ? carried['earlierRuns'] : 0;
  if (typeof ticketId !== 'string' || typeof earlier !== 'number') return null;
  return { ticketId, number: earlier + 1 };
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
