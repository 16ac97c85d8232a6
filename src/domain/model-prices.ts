/** Token counts as the Messages API reports them; other servers leave fields out or null. */
export interface ModelUsage {
  /** The uncached part only. */
  readonly input_tokens?: number | null;
  readonly output_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_creation?: {
    readonly ephemeral_5m_input_tokens?: number | null;
    readonly ephemeral_1h_input_tokens?: number | null;
  } | null;
}

export interface TokenCounts {
  readonly input: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
  /** Thinking included. */
  readonly output: number;
}

/** USD per million tokens. */
interface ModelPrice extends TokenCounts {
  /** A prompt (cached parts included) above `tokens` makes the whole call dearer. */
  readonly above?: { readonly tokens: number; readonly factor: number };
}

/** Day on which the table was compared with https://docs.claude.com/en/about-claude/pricing. */
export const PRICES_AS_OF = '2026-11-26';

/**
 * Where no price is published the dearer reading stands, so that a budget never counts too little: cache reads of Haiku as
 * plain input, cache writes of Fable at the 1.25 and 2 times of input that all others have.
 */
const PRICES: Readonly<Record<string, ModelPrice>> = {
  'claude-opus-5-5': { input: 4, cacheWrite5m: 5, cacheWrite1h: 8, cacheRead: 0.2, output: 20 },
  'claude-sonnet-5-5': { input: 2, cacheWrite5m: 2.5, cacheWrite1h: 4, cacheRead: 0.1, output: 10 },
  'claude-haiku-5-5': {
    input: 0.1,
    cacheWrite5m: 0.125,
    cacheWrite1h: 0.2,
    cacheRead: 0.1,
    output: 0.5,
    above: { tokens: 100_000, factor: 5 },
  },
  'claude-fable-5-1': { input: 10, cacheWrite5m: 12.5, cacheWrite1h: 20, cacheRead: 0.25, output: 50 },
};

/** What one call costs in USD; null when the model's price is not known. */
export function costOf(model: string, usage: ModelUsage): number | null {
  const price = priceOf(model);
  if (!price) return null;
  const tokens = countTokens(usage);
  const prompt = tokens.input + tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead;
  const factor = price.above && prompt > price.above.tokens ? price.above.factor : 1;
  const sum =
    tokens.input * price.input +
    tokens.cacheWrite5m * price.cacheWrite5m +
    tokens.cacheWrite1h * price.cacheWrite1h +
    tokens.cacheRead * price.cacheRead +
    tokens.output * price.output;
  return (sum * factor) / 1_000_000;
}

/** Missing counts are zero; cache writes without a breakdown are of the default kind, 5 minutes. */
export function countTokens(usage: ModelUsage): TokenCounts {
  const written = count(usage.cache_creation_input_tokens);
  const oneHour = count(usage.cache_creation?.ephemeral_1h_input_tokens);
  const fiveMinutes = count(usage.cache_creation?.ephemeral_5m_input_tokens);
  return {
    input: count(usage.input_tokens),
    cacheWrite5m: Math.max(fiveMinutes, written - oneHour),
    cacheWrite1h: oneHour,
    cacheRead: count(usage.cache_read_input_tokens),
    output: count(usage.output_tokens),
  };
}

/** A dated snapshot costs what its model costs. */
function priceOf(model: string): ModelPrice | undefined {
  const name = model.replace(/-\d{8}$/, '');
  return Object.hasOwn(PRICES, name) ? PRICES[name] : undefined;
}

function count(value: number | null | undefined): number {
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value : 0;
}
