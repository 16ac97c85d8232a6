import { appendFile, mkdir, rm } from 'node:fs/promises';
import { dayOf, readSpend, spendDays, spendFile } from '../../client/spend-reader';
import type { SpendEntry } from '../../client/spend-reader';
import { paths } from '../../config/paths';
import type { ModelSpend } from '../../domain/budget';
import { NOTHING_SPENT, spend } from '../../domain/budget';
import type { ModelUsage } from '../../domain/model-prices';
import { costOf, countTokens } from '../../domain/model-prices';

/** One call that the API counted. `attempt`: null for the analyst. */
interface ModelCall extends Pick<SpendEntry, 'ticketId' | 'attempt' | 'model'> {
  readonly usage: ModelUsage;
}

export interface SpendLedger {
  record(call: ModelCall): Promise<void>;
  /** Of one attempt; today's and yesterday's, which is longer than an attempt may work. */
  ofAttempt(ticketId: string, attempt: number): Promise<ModelSpend>;
  /** USD of all tickets and analyses today, UTC. */
  today(): Promise<number>;
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
    async record({ ticketId, attempt, model, usage }) {
      const at = now();
      const entry: SpendEntry = {
        at: at.toISOString(),
        ticketId,
        attempt,
        model,
        tokens: countTokens(usage),
        usd: costOf(model, usage),
      };
      await mkdir(paths.spend(dataDir), { recursive: true, mode: 0o700 });
      // Begins with a line end: what a crash cut off before must not spoil it.
      await appendFile(spendFile(dataDir, dayOf(at.getTime())), `\n${JSON.stringify(entry)}\n`, {
        mode: 0o600,
      });
    },
    async ofAttempt(ticketId, attempt) {
      const days = [dayOf(now().getTime() - DAY_MS), today()];
      const entries = (await Promise.all(days.map((day) => readSpend(dataDir, day)))).flat();
      return entries
        .filter((item) => item.ticketId === ticketId && item.attempt === attempt)
        .reduce<ModelSpend>(spend, NOTHING_SPENT);
    },
    async today() {
      const entries = await readSpend(dataDir, today());
      return entries.reduce<ModelSpend>(spend, NOTHING_SPENT).usd;
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
