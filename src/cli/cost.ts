import { stripInvisible } from '../domain/untrusted-text';
import type { TicketWire, TokensWire, TurnWire } from './wire';

/** Who thought in a turn, and for a model what it read, wrote and cost. */
export function turnText({ brain, model, tokens, usd }: TurnWire): string {
  if (model === null || tokens === null) return brain ?? 'unknown brain';
  return [stripInvisible(model), tokensText(tokens), usdText(usd)].join(' · ');
}

/** What models cost on a ticket; null when none worked on it. */
export function costText({ cost, tokens }: Pick<TicketWire, 'cost' | 'tokens'>): string | null {
  if (cost === 0 && (tokens === null || readTokens(tokens) === 0)) return null;
  return [usdText(cost), ...(tokens === null ? [] : [tokensText(tokens)])].join(' · ');
}

function tokensText(tokens: TokensWire): string {
  const cached = tokens.cache_read === 0 ? '' : ` (${grouped(tokens.cache_read)} cached)`;
  return `${grouped(readTokens(tokens))} in${cached} / ${grouped(tokens.output)} out`;
}

/** All that the model read, from a cache or not. */
function readTokens({ input, cache_write_5m, cache_write_1h, cache_read }: TokensWire): number {
  return input + cache_write_5m + cache_write_1h + cache_read;
}

/** Tenths of a cent matter in a turn, and not in a sum of dollars. */
function usdText(usd: number | null): string {
  if (usd === null) return 'price unknown';
  if (usd > 0 && usd < 0.001) return '< $0.001';
  return `$${usd.toFixed(usd < 1 ? 3 : 2)}`;
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
