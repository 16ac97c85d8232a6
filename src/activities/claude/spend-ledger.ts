import { appendFile, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../../client/error-code';
import { paths } from '../../config/paths';
import type { AttemptSpend, DaySpend } from '../../domain/budget';
import { NOTHING_SPENT, spend } from '../../domain/budget';

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
type SpendEntry = Readonly<z.infer<typeof entry>>;

export interface SpendLedger {
  record(entry: SpendEntry): Promise<void>;
  /** Calls, tokens and money of one attempt; today's and yesterday's, which is longer than an attempt may work. */
  ofAttempt(ticketId: string, attempt: number): Promise<AttemptSpend>;
  /** Money of all tickets and analyses today, UTC. */
  today(): Promise<DaySpend>;
}

const DAY_MS = 86_400_000;
const KEEP_DAYS = 90;
const DAY_FILE = /^(\d{4}-\d{2}-\d{2})\.ndjson$/;

/**
 * What calls of models cost, a line each, in a file per UTC day. Lines are appended whole, so monitor and agent may write at
 * once; a line that a crash cut off is not counted.
 */
export function createSpendLedger(dataDir: string, now: () => Date): SpendLedger {
  const folder = paths.spend(dataDir);
  const fileOf = (day: string): string => join(folder, `${day}.ndjson`);
  const today = (): string => dayOf(now().getTime());
  return {
    async record(spent) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // Begins with a line end: what a crash cut off before must not spoil it.
      await appendFile(fileOf(today()), `\n${JSON.stringify(spent)}\n`, { mode: 0o600 });
    },
    async ofAttempt(ticketId, attempt) {
      const days = [dayOf(now().getTime() - DAY_MS), today()];
      const entries = (await Promise.all(days.map((day) => readEntries(fileOf(day))))).flat();
      return entries
        .filter((item) => item.ticketId === ticketId && item.attempt === attempt)
        .reduce<AttemptSpend>(
          (sum, { tokens, usd }) => spend(sum, { type: 'call', tokens, usd }),
          NOTHING_SPENT,
        );
    },
    async today() {
      const day = today();
      const entries = await readEntries(fileOf(day));
      return { day, usd: entries.reduce((sum, { usd }) => sum + (usd ?? 0), 0) };
    },
  };
}

/** Removes days that are so old that nobody asks for their costs. */
export async function pruneSpend(dataDir: string, nowMs: number): Promise<void> {
  const folder = paths.spend(dataDir);
  const oldest = dayOf(nowMs - KEEP_DAYS * DAY_MS);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    const day = DAY_FILE.exec(name)?.[1];
    if (day !== undefined && day < oldest) await rm(join(folder, name), { force: true });
  }
}

async function readEntries(file: string): Promise<readonly SpendEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => readEntry(line) ?? []);
}

function readEntry(line: string): SpendEntry | null {
  try {
    const parsed = entry.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
