import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { pruneAudit } from '../activities/audit';
import { pruneSpend } from '../activities/claude/spend-ledger';
import { pruneEdits } from '../activities/prune-edits';
import { pruneKeptRuns } from '../activities/prune-kept-runs';
import { pruneOutputs } from '../activities/prune-outputs';
import { errorText } from '../config/error-text';
import { paths } from '../config/paths';

const EVERY_MS = 86_400_000;

export interface PruneDeps {
  readonly dataDir: string;
  readonly openTickets: () => Promise<ReadonlySet<string>>;
  readonly isOnServer: (ticketId: string) => Promise<boolean>;
  readonly now: () => Date;
  readonly log: Pick<Logger, 'warn'>;
}

/** Makes one round of pruning. What fails is said once, until it fails in another way, and keeps nothing else from its turn. */
export function createPruning(deps: PruneDeps): () => Promise<void> {
  const { dataDir } = deps;
  const said = new Map<string, string>();
  const attempt = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      said.delete(what);
    } catch (error) {
      const problem = errorText(error);
      if (said.get(what) !== problem) deps.log.warn({ err: error }, `${what} could not be pruned`);
      said.set(what, problem);
    }
  };
  return async () => {
    await attempt('the audit', () => pruneAudit(paths.audit(dataDir)));
    await attempt('the costs', () => pruneSpend(dataDir, deps.now().getTime()));
    await attempt('stored output', () => pruneOutputs(dataDir));
    await attempt('earlier runs of tickets', () => pruneKeptRuns(dataDir, deps.isOnServer));
    await attempt('the edit journals', async () => {
      const openTickets = await deps.openTickets();
      await pruneEdits(dataDir, { nowMs: deps.now().getTime(), openTickets });
    });
  };
}

/** Prunes what the agent writes below the data directory, at once and then every day, until aborted. */
export async function keepDataSmall(deps: PruneDeps, signal: AbortSignal): Promise<void> {
  const prune = createPruning(deps);
  while (!signal.aborted) {
    await prune();
    // Does not keep a process whose worker has failed.
    await delay(EVERY_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
