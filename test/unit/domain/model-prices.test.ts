import type { ModelUsage } from '../../../src/domain/model-prices';
import { costOf, countTokens, PRICES_AS_OF } from '../../../src/domain/model-prices';

const MILLION: ModelUsage = {
  input_tokens: 1_000_000,
  cache_creation_input_tokens: 2_000_000,
  cache_creation: { ephemeral_5m_input_tokens: 1_000_000, ephemeral_1h_input_tokens: 1_000_000 },
  cache_read_input_tokens: 1_000_000,
  output_tokens: 1_000_000,
};

describe('costOf', () => {
  it.each<[string, ModelUsage, number | null]>([
    ['claude-opus-5-5', MILLION, 4 + 5 + 8 + 0.2 + 20],
    ['claude-sonnet-5-5', MILLION, 2 + 2.5 + 4 + 0.1 + 10],
    ['claude-fable-5-1', MILLION, 10 + 12.5 + 20 + 0.25 + 50],
    ['claude-haiku-5-5', MILLION, 5 * (0.1 + 0.125 + 0.2 + 0.1 + 0.5)],
    ['claude-haiku-5-5', { input_tokens: 100_000, output_tokens: 1_000 }, 0.01 + 0.0005],
    ['claude-haiku-5-5', { input_tokens: 100_001, output_tokens: 0 }, (5 * 100_001 * 0.1) / 1e6],
    ['claude-haiku-5-5', { input_tokens: 1, cache_read_input_tokens: 100_000 }, (5 * 100_001 * 0.1) / 1e6],
    ['claude-opus-5-5', { input_tokens: 0, output_tokens: 500 }, 0.01],
    ['claude-opus-5-5-20261101', { output_tokens: 500 }, 0.01],
    ['claude-opus-5-5', {}, 0],
    ['qwen3:8b', MILLION, null],
    ['constructor', MILLION, null],
    ['', MILLION, null],
  ])('%s %j costs %s', (model, usage, expected) => {
    const cost = costOf(model, usage);
    if (expected === null) expect(cost).toBeNull();
    else expect(cost).toBeCloseTo(expected, 10);
  });

  it('says of which day its prices are', () => {
    expect(PRICES_AS_OF).toMatch(/^\d{4}-\d{2}-\d{2}$/);
  });
});

describe('countTokens', () => {
  const none = { input: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 0 };
  it.each<[string, ModelUsage, object]>([
    ['nothing', {}, none],
    [
      'nulls',
      {
        input_tokens: null,
        cache_creation: null,
        cache_creation_input_tokens: null,
        cache_read_input_tokens: null,
      },
      none,
    ],
    ['writes without a breakdown', { cache_creation_input_tokens: 7 }, { ...none, cacheWrite5m: 7 }],
    [
      'writes of one hour',
      { cache_creation_input_tokens: 7, cache_creation: { ephemeral_1h_input_tokens: 7 } },
      { ...none, cacheWrite1h: 7 },
    ],
    [
      'a breakdown without the sum',
      { cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 4 } },
      { ...none, cacheWrite5m: 3, cacheWrite1h: 4 },
    ],
    ['nonsense', { input_tokens: -5, output_tokens: Number.NaN }, none],
  ])('%s', (_name, usage, expected) => {
    expect(countTokens(usage)).toEqual(expected);
  });
});
