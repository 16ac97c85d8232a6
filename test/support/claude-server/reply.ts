import { randomBytes } from 'node:crypto';
import type { ContentBlock, Message, StopReason, Usage } from '@anthropic-ai/sdk/resources/messages';
import type { ClaudeModel } from './models';
import type { PromptTokens } from './prompt-cache';
import type { Block, ClaudeRequest } from './request';
import { extendPrefix, prefixOf, signThinking } from './thinking';
import type { ScriptedTurn } from './script';
import { firstTokens, tokensOf } from './tokens';

export interface Reply {
  readonly message: Message;
  /** The content once more, as it may come back in a request. */
  readonly blocks: readonly Block[];
  /** Of each call, by its ID: the text that is streamed. It may end early or be no JSON at all. */
  readonly inputTexts: ReadonlyMap<string, string>;
}

/** What is to be said, before it has IDs and signatures. */
type Draft =
  | { readonly kind: 'thinking' | 'text'; readonly body: string }
  | { readonly kind: 'call'; readonly name: string; readonly body: string };

export interface ReplyOptions {
  readonly model: ClaudeModel;
  readonly prompt: PromptTokens;
  /** Before every text and thought, not before JSON. */
  readonly prefix: string;
}

export function createReply(turn: ScriptedTurn, request: ClaudeRequest, options: ReplyOptions): Reply {
  const { model, prompt, prefix } = options;
  const wanted = draftsOf(turn, prefix, isThinking(request, model));
  const room = Math.min(request.max_tokens ?? Infinity, turn.isCutOff ? cutOffAt(wanted) : Infinity);
  const { drafts, isCut } = fit(wanted, room);
  const { blocks, inputTexts } = toBlocks(drafts, request, model);
  const stopReason: StopReason =
    turn.stopReason ?? (isCut ? 'max_tokens' : (turn.calls ?? []).length > 0 ? 'tool_use' : 'end_turn');
  const message: Message = {
    id: newId('msg'),
    type: 'message',
    role: 'assistant',
    model: request.model,
    content: [...blocks],
    stop_reason: stopReason,
    stop_sequence: null,
    stop_details:
      stopReason === 'refusal'
        ? {
            type: 'refusal',
            category: turn.refusalCategory ?? null,
            explanation: `${prefix}refused by the script`,
          }
        : null,
    container: null,
    diagnostics: null,
    usage: usageOf(drafts, prompt),
  };
  return { message, blocks, inputTexts };
}

export function newId(kind: 'msg' | 'toolu' | 'req'): string {
  return `${kind}_01${randomBytes(11).toString('hex')}`;
}

function isThinking({ thinking }: ClaudeRequest, model: ClaudeModel): boolean {
  return thinking === undefined ? model.thinksByDefault : thinking.type !== 'disabled';
}

function draftsOf(turn: ScriptedTurn, prefix: string, mayThink: boolean): Draft[] {
  const { thinking, text, json, calls = [] } = turn;
  const drafts: Draft[] = [];
  if (thinking !== undefined && mayThink) drafts.push({ kind: 'thinking', body: prefix + thinking });
  if (text !== undefined) drafts.push({ kind: 'text', body: prefix + text });
  if (json !== undefined) {
    drafts.push({ kind: 'text', body: typeof json === 'string' ? json : JSON.stringify(json) });
  }
  for (const { name, input, rawInput } of calls) {
    drafts.push({ kind: 'call', name, body: rawInput ?? JSON.stringify(input) });
  }
  return drafts;
}

/** Half way into the last block. */
function cutOffAt(drafts: readonly Draft[]): number {
  const tokens = drafts.map(({ body }) => tokensOf(body));
  const last = tokens.at(-1) ?? 0;
  return tokens.reduce((sum, count) => sum + count, 0) - Math.ceil(last / 2);
}

function fit(
  wanted: readonly Draft[],
  room: number,
): { readonly drafts: readonly Draft[]; readonly isCut: boolean } {
  const drafts: Draft[] = [];
  let left = room;
  for (const draft of wanted) {
    const tokens = tokensOf(draft.body);
    if (tokens > left) {
      const body = firstTokens(draft.body, left);
      return { drafts: body === '' ? drafts : [...drafts, { ...draft, body }], isCut: true };
    }
    drafts.push(draft);
    left -= tokens;
  }
  return { drafts, isCut: false };
}

function toBlocks(drafts: readonly Draft[], request: ClaudeRequest, model: ClaudeModel) {
  const shown = request.thinking && 'display' in request.thinking ? request.thinking.display : null;
  const isShown = (shown ?? model.shownByDefault) === 'summarized';
  const blocks: (ContentBlock & Block)[] = [];
  const inputTexts = new Map<string, string>();
  let prefix = prefixOf(request);
  const add = (block: ContentBlock & Block) => {
    blocks.push(block);
    prefix = extendPrefix(prefix, 'assistant', block);
  };
  for (const draft of drafts) {
    switch (draft.kind) {
      case 'thinking': {
        const thinking = isShown ? draft.body : '';
        add({ type: 'thinking', thinking, signature: signThinking(model.line, prefix, thinking) });
        break;
      }
      case 'text':
        add({ type: 'text', text: draft.body, citations: null });
        break;
      case 'call': {
        const id = newId('toolu');
        inputTexts.set(id, draft.body);
        const input = parseObject(draft.body);
        add({ type: 'tool_use', id, name: draft.name, input, caller: { type: 'direct' } });
        break;
      }
    }
  }
  return { blocks, inputTexts };
}

/** A text that is not an object cannot be shown as one: then it is empty. */
function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Thinking counts in full, shown or not. */
function usageOf(drafts: readonly Draft[], prompt: PromptTokens): Usage {
  const count = (list: readonly Draft[]) => list.reduce((sum, { body }) => sum + tokensOf(body), 0);
  return {
    input_tokens: prompt.uncached,
    cache_read_input_tokens: prompt.read,
    cache_creation_input_tokens: prompt.written5m + prompt.written1h,
    cache_creation: {
      ephemeral_5m_input_tokens: prompt.written5m,
      ephemeral_1h_input_tokens: prompt.written1h,
    },
    output_tokens: Math.max(1, count(drafts)),
    output_tokens_details: { thinking_tokens: count(drafts.filter(({ kind }) => kind === 'thinking')) },
    server_tool_use: null,
    service_tier: 'standard',
    speed: 'standard',
    inference_geo: null,
  };
}
