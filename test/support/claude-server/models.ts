/** What the rules need to know of a model. Figures as documented for API version 2026-10-21. */
export interface ClaudeModel {
  readonly id: string;
  /** Models of one line read each other's thinking. */
  readonly line: 'haiku' | 'sonnet' | 'opus' | 'fable';
  readonly maxInputTokens: number;
  readonly maxTokens: number;
  /** Accepted values of `thinking.type`. */
  readonly thinking: readonly ('adaptive' | 'between_tools' | 'enabled' | 'disabled')[];
  /** Whether it thinks when the request does not say so. */
  readonly thinksByDefault: boolean;
  readonly shownByDefault: 'summarized' | 'omitted';
  /** Whether `tool_choice` may force a call. */
  readonly canForceTools: boolean;
  /** Whether the last message may be the assistant's. */
  readonly canPrefill: boolean;
  /** A shorter prefix is neither written to the cache nor read from it. */
  readonly minCacheableTokens: number;
}

const CURRENT = {
  maxInputTokens: 1_000_000,
  maxTokens: 128_000,
  thinksByDefault: true,
  shownByDefault: 'omitted',
  canForceTools: false,
  canPrefill: false,
  minCacheableTokens: 512,
} as const;

const MODELS: readonly ClaudeModel[] = [
  { ...CURRENT, id: 'claude-opus-5-5', line: 'opus', thinking: ['adaptive'] },
  { ...CURRENT, id: 'claude-sonnet-5-5', line: 'sonnet', thinking: ['adaptive', 'between_tools'] },
  { ...CURRENT, id: 'claude-haiku-5-5', line: 'haiku', thinking: ['adaptive'] },
  { ...CURRENT, id: 'claude-fable-5-1', line: 'fable', thinking: ['adaptive'] },
  {
    id: 'claude-sonnet-4-5',
    line: 'sonnet',
    maxInputTokens: 200_000,
    maxTokens: 64_000,
    thinking: ['enabled', 'disabled'],
    thinksByDefault: false,
    shownByDefault: 'summarized',
    canForceTools: true,
    canPrefill: true,
    minCacheableTokens: 1_024,
  },
];

export function findModel(id: string): ClaudeModel | null {
  return MODELS.find((model) => model.id === id) ?? null;
}

/** The body of GET /v1/models. */
export function listModels(label: string): object {
  const data = MODELS.map((model) => describeModel(model, label));
  return { data, has_more: false, first_id: MODELS[0]?.id ?? null, last_id: MODELS.at(-1)?.id ?? null };
}

/** The body of GET /v1/models/:id. */
export function describeModel(model: ClaudeModel, label: string): object {
  const type = (name: ClaudeModel['thinking'][number]) => ({ supported: model.thinking.includes(name) });
  const yes = { supported: true };
  return {
    type: 'model',
    id: model.id,
    display_name: `${model.id} (${label})`,
    created_at: '1970-01-01T00:00:00Z',
    deprecated_at: null,
    retires_at: null,
    lifecycle: 'active',
    line: model.line,
    max_input_tokens: model.maxInputTokens,
    max_tokens: model.maxTokens,
    capabilities: {
      structured_outputs: yes,
      effort: { supported: true, low: yes, medium: yes, high: yes, xhigh: yes, max: yes },
      thinking: {
        supported: true,
        types: {
          adaptive: type('adaptive'),
          between_tools: type('between_tools'),
          enabled: type('enabled'),
          disabled: type('disabled'),
        },
      },
    },
  };
}
