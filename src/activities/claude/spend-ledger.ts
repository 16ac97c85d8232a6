import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dayOf, readSpend, spendDays, spendFile } from '../../client/spend-reader';
import type { SpendEntry } from '../../client/spend-reader';
import { paths } from '../../config/paths';
import type { AttemptSpend, DaySpend } from '../../domain/budget';
import { NOTHING_SPENT, spend } from '../../domain/budget';

export interface SpendLedger {
  record(entry: SpendEntry): Promise<void>;
  /** Calls, tokens and money of one attempt; today's and yesterday's, which is longer than an attempt may work. */
  ofAttempt(ticketId: string, attempt: number): Promise<AttemptSpend>;
  /** Money of all tickets and analyses today, UTC. */
  today(): Promise<DaySpend>;
}

const DAY_MS = 86_400_000;
const KEEP_DAYS = 90;

/**
 * What calls of models cost, a line each, in a file per UTC day. Lines are appended whole, so monitor and agent may write at
 * once; a line that a crash cut off is not counted.
 */
export function createSpendLedger(dataDir: string, now: () => Date): SpendLedger {
  const today = (): string => dayOf(now().getTime());
  return {
    async record(spent) {
      await mkdir(paths.spend(dataDir), { recursive: true, mode: 0o700 });
      // Begins with a line end: what a crash cut off before must not spoil it.
      await appendFile(spendFile(dataDir, today()), `\n${JSON.stringify(spent)}\n`, { mode: 0o600 });
    },
    async ofAttempt(ticketId, attempt) {
      const days = [dayOf(now().getTime() - DAY_MS), today()];
      const entries = (await Promise.all(days.map((day) => readSpend(dataDir, day)))).flat();
      return entries
        .filter((item) => item.ticketId === ticketId && item.attempt === attempt)
        .reduce<AttemptSpend>(
          (sum, { tokens, usd }) => spend(sum, { type: 'call', tokens, usd }),
          NOTHING_SPENT,
        );
    },
    async today() {
      const day = today();
      const entries = await readSpend(dataDir, day);
      return { day, usd: entries.reduce((sum, { usd }) => sum + (usd ?? 0), 0) };
    },
  };
}

/** Removes days that are so old that nobody asks for their costs. */
export async function pruneSpend(dataDir: string, nowMs: number): Promise<void> {
  const oldest = dayOf(nowMs - KEEP_DAYS * DAY_MS);
  for (const day of await spendDays(dataDir)) {
    if (day < oldest) await rm(spendFile(dataDir, day), { force: true });
  }
}
