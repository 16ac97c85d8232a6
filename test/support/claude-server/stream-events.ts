import type {
  ContentBlock,
  RawContentBlockDelta,
  RawMessageStreamEvent,
} from '@anthropic-ai/sdk/resources/messages';
import type { Reply } from './reply';

export type StreamEvent = RawMessageStreamEvent | { readonly type: 'ping' };

const PIECE_LENGTH = 20;
const MIN_PIECES = 3;

/** A reply as the events of a stream, in the order the API keeps. */
export function streamEvents({ message, inputTexts }: Reply): StreamEvent[] {
  const { content, usage, stop_reason, stop_sequence, stop_details, container } = message;
  const begun = { ...usage, output_tokens: 1, output_tokens_details: null };
  return [
    {
      type: 'message_start',
      message: { ...message, content: [], stop_reason: null, stop_details: null, usage: begun },
    },
    { type: 'ping' },
    ...content.flatMap((block, index) => blockEvents(block, index, inputTexts)),
    {
      type: 'message_delta',
      delta: { stop_reason, stop_sequence, stop_details, container },
      usage: {
        input_tokens: usage.input_tokens,
        cache_creation_input_tokens: usage.cache_creation_input_tokens,
        cache_read_input_tokens: usage.cache_read_input_tokens,
        output_tokens: usage.output_tokens,
        output_tokens_details: usage.output_tokens_details,
        server_tool_use: null,
      },
    },
    { type: 'message_stop' },
  ];
}

function blockEvents(block: ContentBlock, index: number, inputTexts: Reply['inputTexts']): StreamEvent[] {
  const deltas = deltasOf(block, inputTexts);
  return [
    { type: 'content_block_start', index, content_block: emptied(block) },
    ...deltas.map((delta) => ({ type: 'content_block_delta' as const, index, delta })),
    { type: 'content_block_stop', index },
  ];
}

function emptied(block: ContentBlock): ContentBlock {
  if (block.type === 'text') return { ...block, text: '' };
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return block.type === 'tool_use' ? { ...block, input: {} } : block;
}

function deltasOf(block: ContentBlock, inputTexts: Reply['inputTexts']): RawContentBlockDelta[] {
  if (block.type === 'text') return pieces(block.text).map((text) => ({ type: 'text_delta', text }));
  if (block.type === 'thinking') {
    return [
      ...pieces(block.thinking).map((thinking) => ({ type: 'thinking_delta', thinking }) as const),
      { type: 'signature_delta', signature: block.signature },
    ];
  }
  if (block.type !== 'tool_use') return [];
  // The first piece is empty, as it is with the real one.
  return ['', ...pieces(inputTexts.get(block.id) ?? '')].map((partial) => ({
    type: 'input_json_delta',
    partial_json: partial,
  }));
}

/** Short texts too come in several pieces. */
function pieces(text: string): string[] {
  const length = Math.max(1, Math.min(PIECE_LENGTH, Math.ceil(text.length / MIN_PIECES)));
  const list = [];
  for (let at = 0; at < text.length; at += length) list.push(text.slice(at, at + length));
  return list;
}
