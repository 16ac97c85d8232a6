import { NOTHING_SPENT, spend } from './budget';
import type { TokenCounts } from './model-prices';
import type { Brain } from './ticket';
import type { Trajectory, TrajectoryTurn, TurnModel } from './trajectory';

/** What models cost on a ticket. */
export interface TicketCost {
  /** USD; null when no call has a known price. 0 without a model. */
  readonly usd: number | null;
  /** Of the turns that got an answer. */
  readonly tokens: TokenCounts;
}

/** What the current attempt has used, of every brain; tokens as its budget counts them. */
export interface AttemptUse {
  readonly turns: number;
  readonly usd: number | null;
  readonly tokens: number;
}

const NO_TOKENS: TokenCounts = {
  input: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  cacheRead: 0,
  output: 0,
};

/** The published cost counts failed and repeated calls too; without it, the turns' own. */
export function costOfTicket({ turns, costUsd }: Pick<Trajectory, 'turns' | 'costUsd'>): TicketCost {
  const models = modelsOf(turns);
  return { usd: usdOf(models, costUsd), tokens: models.map(({ tokens }) => tokens).reduce(add, NO_TOKENS) };
}

export function attemptUse({
  turns,
  attempt,
  attemptCostUsd,
}: Pick<Trajectory, 'turns' | 'attempt' | 'attemptCostUsd'>): AttemptUse {
  const own = turns.filter((turn) => turn.attempt === attempt);
  const models = modelsOf(own);
  const { tokens } = models.reduce(spend, NOTHING_SPENT);
  return { turns: own.length, usd: usdOf(models, attemptCostUsd), tokens };
}

/** Who worked on it, in the order in which they first did. */
export function brainsOf(turns: readonly Pick<TrajectoryTurn, 'brain'>[]): readonly Brain[] {
  return [...new Set(turns.flatMap(({ brain }) => brain ?? []))];
}

function usdOf(models: readonly TurnModel[], publishedUsd: number | null): number | null {
  if (publishedUsd !== null && publishedUsd > 0) return publishedUsd;
  const priced = models.flatMap(({ usd }) => usd ?? []);
  if (priced.length === 0 && models.length > 0) return null;
  return priced.reduce((sum, usd) => sum + usd, 0);
}

function modelsOf(turns: readonly TrajectoryTurn[]): readonly TurnModel[] {
  return turns.flatMap(({ model }) => model ?? []);
}

function add(one: TokenCounts, other: TokenCounts): TokenCounts {
  return {
    input: one.input + other.input,
    cacheWrite5m: one.cacheWrite5m + other.cacheWrite5m,
    cacheWrite1h: one.cacheWrite1h + other.cacheWrite1h,
    cacheRead: one.cacheRead + other.cacheRead,
    output: one.output + other.output,
  };
}
