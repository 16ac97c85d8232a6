import { createHash, createHmac } from 'node:crypto';
import type { Block, ClaudeRequest } from './request';
import { turnsOf } from './request';

/** Nobody is kept out by it; it tells our own signatures from made-up ones, also after a restart of the server. */
const KEY = 'scripted stand-in, not Claude';

/** What stands before a block: a running hash over system, tools in their order and every block so far. */
export type Prefix = string;

export function startPrefix({ system, tools = [] }: Pick<ClaudeRequest, 'system' | 'tools'>): Prefix {
  const texts = typeof system === 'string' ? [system] : (system ?? []).map(({ text }) => text);
  return digest([texts, tools.map(withoutCacheControl)]);
}

export function extendPrefix(prefix: Prefix, role: 'user' | 'assistant', block: Block): Prefix {
  return digest([prefix, role, meaningOf(block)]);
}

/** The prefix behind the whole conversation, where the next reply begins. */
export function prefixOf(request: ClaudeRequest): Prefix {
  let prefix = startPrefix(request);
  for (const { role, blocks } of turnsOf(request)) {
    for (const { block } of blocks) prefix = extendPrefix(prefix, role, block);
  }
  return prefix;
}

/** `line.text.prefix`: the parts tell a changed text from a changed conversation. */
export function signThinking(line: string, prefix: Prefix, thinking: string): string {
  return [line, mac([line, thinking]), mac([line, thinking, prefix])].join('.');
}

export type SignatureCheck = 'valid' | 'other_line' | 'changed_text' | 'changed_prefix';

export function checkSignature(
  block: { readonly thinking: string; readonly signature: string },
  line: string,
  prefix: Prefix,
): SignatureCheck {
  const expected = signThinking(line, prefix, block.thinking);
  if (block.signature === expected) return 'valid';
  const [itsLine, itsText] = block.signature.split('.');
  if (itsLine !== undefined && itsLine !== line && itsText === mac([itsLine, block.thinking]))
    return 'other_line';
  return itsText === mac([line, block.thinking]) ? 'changed_prefix' : 'changed_text';
}

/** What a block says, without what may differ between two ways to write it (cache marks, nulls, defaults). */
function meaningOf(block: Block): unknown {
  switch (block.type) {
    case 'text':
      return ['text', block.text];
    case 'thinking':
      return ['thinking', block.thinking, block.signature];
    case 'tool_use':
      return ['tool_use', block.id, block.name, block.input];
    case 'tool_result': {
      const { content = [] } = block;
      const parts = typeof content === 'string' ? [{ type: 'text', text: content } as const] : content;
      const meanings = parts.map((part) => (part.type === 'text' ? part.text : withoutCacheControl(part)));
      return ['tool_result', block.tool_use_id, block.is_error === true, meanings];
    }
    default:
      return withoutCacheControl(block);
  }
}

function withoutCacheControl(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'cache_control'));
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

function mac(value: unknown): string {
  return createHmac('sha256', KEY).update(JSON.stringify(value)).digest('base64url');
}
