import { z } from 'zod';

const cacheControl = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullish();
const source = z.looseObject({ type: z.string() });
const toolId = z.string().regex(/^[a-zA-Z0-9_-]+$/, "String should match pattern '^[a-zA-Z0-9_-]+$'");

const text = z.strictObject({
  type: z.literal('text'),
  text: z.string(),
  citations: z.array(z.unknown()).nullish(),
  cache_control: cacheControl,
});
const image = z.strictObject({ type: z.literal('image'), source, cache_control: cacheControl });
const document = z.strictObject({
  type: z.literal('document'),
  source,
  title: z.string().nullish(),
  context: z.string().nullish(),
  citations: z.strictObject({ enabled: z.boolean().optional() }).nullish(),
  cache_control: cacheControl,
});
const searchResult = z.strictObject({
  type: z.literal('search_result'),
  source: z.string(),
  title: z.string(),
  content: z.array(text),
  citations: z.strictObject({ enabled: z.boolean().optional() }).nullish(),
  cache_control: cacheControl,
});
const toolReference = z.strictObject({
  type: z.literal('tool_reference'),
  tool_name: z.string(),
  cache_control: cacheControl,
});
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: toolId,
  name: z.string(),
  input: z.record(z.string(), z.unknown()),
  caller: z.looseObject({ type: z.string() }).optional(),
  toolset_name: z.string().nullish(),
  cache_control: cacheControl,
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: toolId,
  content: z
    .union([
      z.string(),
      z.array(z.discriminatedUnion('type', [text, image, document, searchResult, toolReference])),
    ])
    .optional(),
  is_error: z.boolean().optional(),
  cache_control: cacheControl,
});
const thinking = z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() });
const redactedThinking = z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() });

const block = z.discriminatedUnion('type', [
  text,
  image,
  document,
  searchResult,
  toolUse,
  toolResult,
  thinking,
  redactedThinking,
]);
const message = z.strictObject({
  role: z.enum(['user', 'assistant'], "Input should be 'user' or 'assistant'"),
  content: z.union([z.string(), z.array(block)]),
});

const tool = z.strictObject({
  type: z.literal('custom').optional(),
  name: z.string().regex(/^[a-zA-Z0-9_-]{1,128}$/, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'"),
  description: z.string().optional(),
  input_schema: z.looseObject({ type: z.literal('object') }),
  strict: z.boolean().optional(),
  input_examples: z.array(z.record(z.string(), z.unknown())).optional(),
  defer_loading: z.boolean().optional(),
  allowed_callers: z.array(z.string()).optional(),
  eager_input_streaming: z.boolean().nullish(),
  cache_control: cacheControl,
});
const isParallelDisabled = { disable_parallel_tool_use: z.boolean().optional() };
const toolChoice = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('auto'), ...isParallelDisabled }),
  z.strictObject({ type: z.literal('any'), ...isParallelDisabled }),
  z.strictObject({ type: z.literal('tool'), name: z.string(), ...isParallelDisabled }),
  z.strictObject({ type: z.literal('none') }),
]);
const display = z.enum(['summarized', 'omitted']).nullish();
const thinkingConfig = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('adaptive'), display }),
  z.strictObject({ type: z.literal('between_tools'), display }),
  z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int(), display }),
  z.strictObject({ type: z.literal('disabled') }),
]);

/** Both ways to ask: count_tokens knows fewer fields. */
export const countRequest = z.strictObject({
  model: z.string(),
  messages: z.array(message),
  system: z.union([z.string(), z.array(text)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  thinking: thinkingConfig.optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullish(),
      format: z
        .strictObject({ type: z.literal('json_schema'), schema: z.record(z.string(), z.unknown()) })
        .nullish(),
    })
    .optional(),
  cache_control: cacheControl,
});
export const messagesRequest = countRequest.extend({
  max_tokens: z.int(),
  stream: z.boolean().optional(),
  stop_sequences: z.array(z.string()).optional(),
  metadata: z.strictObject({ user_id: z.string().nullish() }).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  inference_geo: z.string().nullish(),
  container: z.unknown().optional(),
  diagnostics: z.strictObject({ previous_message_id: z.string().nullish() }).nullish(),
});

/** A request of either way, checked for its shape. */
export type ClaudeRequest = Readonly<
  z.infer<typeof countRequest> &
    Partial<Omit<z.infer<typeof messagesRequest>, keyof typeof countRequest.shape>>
>;
export type Block = Readonly<z.infer<typeof block>>;

/** Consecutive messages of one role are one turn. */
export interface ConversationTurn {
  readonly role: 'user' | 'assistant';
  readonly blocks: readonly PlacedBlock[];
}

/** A block and where the request has it, as the API names it. */
export interface PlacedBlock {
  readonly path: string;
  readonly block: Block;
}

export function turnsOf({ messages }: Pick<ClaudeRequest, 'messages'>): readonly ConversationTurn[] {
  const turns: { role: 'user' | 'assistant'; blocks: PlacedBlock[] }[] = [];
  for (const [index, { role, content }] of messages.entries()) {
    const placed = blocksOf(content).map((item, at) => ({
      path: `messages.${index}.content.${at}`,
      block: item,
    }));
    const last = turns.at(-1);
    if (last?.role === role) last.blocks.push(...placed);
    else turns.push({ role, blocks: placed });
  }
  return turns;
}

/** A string is short for one text block. */
export function blocksOf(content: string | readonly Block[]): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

/** All that people and tools said, newest last. */
export function userTextOf(request: Pick<ClaudeRequest, 'messages' | 'system'>): string {
  return turnsOf(request)
    .filter(({ role }) => role === 'user')
    .flatMap(({ blocks }) => blocks.map(({ block: item }) => textOf(item)))
    .join('\n');
}

/** The readable text of a block; empty for what has none. */
export function textOf(item: Block): string {
  if (item.type === 'text') return item.text;
  if (item.type !== 'tool_result' || item.content === undefined) return '';
  if (typeof item.content === 'string') return item.content;
  return item.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
}

/** Thinking carries no mark of its own. */
export function cacheControlOf(item: Block): Readonly<z.infer<typeof cacheControl>> {
  return 'cache_control' in item ? item.cache_control : null;
}
