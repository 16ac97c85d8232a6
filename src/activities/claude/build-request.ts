import type Anthropic from '@anthropic-ai/sdk';
import type { ToolSchema } from '../../domain/tool-schemas';

export interface ClaudeRequest {
  /** `plain`: for other servers of the Messages API, which know none of Claude's extras. */
  readonly profile: 'full' | 'plain';
  readonly model: string;
  readonly effort: 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  readonly maxTokens: number;
  readonly system: string;
  /** Empty for a single structured answer. */
  readonly tools: readonly ToolSchema[];
  /** Earlier replies exactly as they came. */
  readonly messages: readonly Anthropic.MessageParam[];
  /** JSON schema of the answer; a plain server is only asked for it in words. */
  readonly format: { readonly [key: string]: unknown } | null;
}

/**
 * The body of one call. Nothing in it depends on the turn but `messages`: a changed prefix is a cache miss, and an error for
 * transcripts with thinking. Two cache breakpoints: behind the system prompt (shared by all tickets) and, placed by the API,
 * behind the last block (so each turn reads what the one before it wrote). Several calls in one reply stay allowed, because
 * reading several things at once saves turns; `readAnswer` lets nothing else run together.
 */
export function buildRequest(request: ClaudeRequest): Anthropic.MessageStreamParams {
  const { profile, model, effort, maxTokens, system, tools, messages, format } = request;
  const isFull = profile === 'full';
  const base = {
    model,
    max_tokens: maxTokens,
    messages: [...messages],
    ...(tools.length === 0 ? {} : { tools: tools.map((tool) => toModelTool(tool, isFull)) }),
  };
  if (!isFull) return { ...base, system };
  const cache = { type: 'ephemeral', ttl: '5m' } as const;
  return {
    ...base,
    system: [{ type: 'text', text: system, cache_control: cache }],
    cache_control: cache,
    thinking: { type: 'adaptive', display: 'summarized' },
    output_config: {
      effort,
      ...(format === null ? {} : { format: { type: 'json_schema', schema: { ...format } } }),
    },
  };
}

function toModelTool({ name, description, inputSchema }: ToolSchema, isStrict: boolean) {
  return {
    name,
    description,
    input_schema: { ...inputSchema, required: [...inputSchema.required] },
    ...(isStrict ? { strict: true } : {}),
  };
}
