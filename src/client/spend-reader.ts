import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { paths } from '../config/paths';
import { errorCode } from './error-code';

const entry = z.object({
  at: z.string(),
  ticketId: z.string(),
  /** Null for the analyst. */
  attempt: z.number().nullable(),
  model: z.string(),
  tokens: z.object({
    input: z.number(),
    cacheWrite5m: z.number(),
    cacheWrite1h: z.number(),
    cacheRead: z.number(),
    output: z.number(),
  }),
  /** Null when the model's price is not known. */
  usd: z.number().nullable(),
});

/** One call that the API counted, whether or not its answer was of use. */
export type SpendEntry = Readonly<z.infer<typeof entry>>;

/** What all calls of models cost, of tickets and analyses. */
export interface SpendReport {
  /** Of this UTC day. */
  readonly todayUsd: number;
  /** Of all days that are kept. */
  readonly totalUsd: number;
  /** The oldest day that is kept, such as `2026-01-31`; null when nothing is. */
  readonly since: string | null;
  /** Calls of models without a known price: the sums are too low by what they cost. */
  readonly unpricedCalls: number;
}

interface DaySum {
  readonly size: number;
  readonly usd: number;
  readonly unpricedCalls: number;
}

const DAY_FILE = /^(\d{4}-\d{2}-\d{2})\.ndjson$/;

export function spendFile(dataDir: string, day: string): string {
  return join(paths.spend(dataDir), `${day}.ndjson`);
}

/** The UTC day of a moment. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** Days of which costs are kept, oldest first. */
export async function spendDays(dataDir: string): Promise<readonly string[]> {
  const names = await ifThere(readdir(paths.spend(dataDir)), []);
  return names.flatMap((name) => DAY_FILE.exec(name)?.[1] ?? []).sort();
}

/** The calls of one day; a line that a crash cut off is left out. */
export async function readSpend(dataDir: string, day: string): Promise<readonly SpendEntry[]> {
  const text = await ifThere(readFile(spendFile(dataDir, day), 'utf8'), '');
  return text.split('\n').flatMap((line) => readEntry(line) ?? []);
}

/** Makes a reader of all that is kept. A day is read again only when its file has grown. */
export function createSpendReader(dataDir: string, now: () => Date): () => Promise<SpendReport> {
  const known = new Map<string, DaySum>();

  async function sumOf(day: string): Promise<DaySum> {
    const size = (await ifThere(stat(spendFile(dataDir, day)), null))?.size ?? 0;
    const before = known.get(day);
    if (before?.size === size) return before;
    const entries = await readSpend(dataDir, day);
    const sum = {
      size,
      usd: entries.reduce((total, { usd }) => total + (usd ?? 0), 0),
      unpricedCalls: entries.filter(({ usd }) => usd === null).length,
    };
    known.set(day, sum);
    return sum;
  }

  return async () => {
    const days = await spendDays(dataDir);
    const sums = new Map<string, DaySum>();
    for (const day of days) sums.set(day, await sumOf(day));
    for (const day of known.keys()) if (!sums.has(day)) known.delete(day);
    const total = (of: (sum: DaySum) => number) => [...sums.values()].reduce((all, sum) => all + of(sum), 0);
    return {
      todayUsd: sums.get(dayOf(now().getTime()))?.usd ?? 0,
      totalUsd: total(({ usd }) => usd),
      since: days[0] ?? null,
      unpricedCalls: total(({ unpricedCalls }) => unpricedCalls),
    };
  };
}

function readEntry(line: string): SpendEntry | null {
  try {
    const parsed = entry.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function ifThere<T, U>(reading: Promise<T>, otherwise: U): Promise<T | U> {
  try {
    return await reading;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return otherwise;
    throw error;
  }
}
