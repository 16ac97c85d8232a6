import { invalid } from '../refusal';
import { blocksOf, turnsOf } from '../request';
import type { Rule } from './rule';

const MAX_MESSAGES = 100_000;

export const maxTokensWithinModel: Rule = ({ max_tokens: maxTokens }, { model }) => {
  if (maxTokens === undefined) return null;
  if (maxTokens < 0) return invalid('max_tokens: Input should be greater than or equal to 0');
  if (maxTokens <= model.maxTokens) return null;
  return invalid(
    `max_tokens: ${maxTokens} > ${model.maxTokens}, which is the maximum allowed number of output tokens for ${model.id}`,
  );
};

export const someMessages: Rule = ({ messages }) => {
  if (messages.length === 0) return invalid('messages: at least one message is required');
  return messages.length > MAX_MESSAGES ? invalid(`messages: at most ${MAX_MESSAGES} messages`) : null;
};

export const firstIsUser: Rule = ({ messages }) =>
  messages[0]?.role === 'user' ? null : invalid('messages: first message must use the "user" role');

export const noEmptyContent: Rule = ({ messages }) => {
  const index = messages.findIndex(({ content }) => content.length === 0);
  return index < 0 ? null : invalid(`messages.${index}: all messages must have non-empty content`);
};

/** Also in the system prompt and inside tool results. */
export const noEmptyText: Rule = ({ messages, system }) => {
  const texts: string[] = [];
  const collect = (blocks: readonly { readonly type: string; readonly text?: string }[]) => {
    for (const block of blocks) if (block.type === 'text') texts.push(block.text ?? '');
  };
  if (Array.isArray(system)) collect(system);
  for (const { content } of messages) {
    const blocks = blocksOf(content);
    collect(blocks);
    for (const block of blocks) {
      if (block.type === 'tool_result' && Array.isArray(block.content)) collect(block.content);
    }
  }
  if (texts.includes('')) return invalid('messages: text content blocks must be non-empty');
  const isBlank = texts.some((text) => text.trim() === '');
  return isBlank ? invalid('messages: text content blocks must contain non-whitespace text') : null;
};

export const lastIsUser: Rule = ({ messages }, { model }) =>
  model.canPrefill || messages.at(-1)?.role === 'user'
    ? null
    : invalid(
        'This model does not support assistant message prefill. The conversation must end with a user message.',
      );

const ASSISTANT_ONLY = ['tool_use', 'thinking', 'redacted_thinking'];
const USER_ONLY = ['tool_result', 'image', 'document', 'search_result'];

export const blocksFitRole: Rule = (request) => {
  for (const { role, blocks } of turnsOf(request)) {
    const forbidden = role === 'user' ? ASSISTANT_ONLY : USER_ONLY;
    const wrong = blocks.find(({ block }) => forbidden.includes(block.type));
    if (wrong) {
      return invalid(`${wrong.path}: \`${wrong.block.type}\` blocks are not allowed in ${role} messages`);
    }
  }
  return null;
};

export const noCitationsOnUserText: Rule = (request) => {
  for (const { role, blocks } of turnsOf(request)) {
    const wrong = blocks.find(({ block }) => block.type === 'text' && (block.citations ?? null) !== null);
    if (role === 'user' && wrong) return invalid(`${wrong.path}.citations: not allowed on user text blocks`);
  }
  return null;
};
