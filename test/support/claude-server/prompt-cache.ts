import { createHash } from 'node:crypto';
import type { ClaudeModel } from './models';
import { cacheControlOf, turnsOf } from './request';
import type { ClaudeRequest } from './request';
import { tokensOf } from './tokens';

/** A breakpoint finds what was written at most so many blocks before it. */
const LOOKBACK_BLOCKS = 20;
const TTL_MS = { '5m': 300_000, '1h': 3_600_000 } as const;

type Ttl = keyof typeof TTL_MS;

/** One block of the prefix, with everything before it. */
interface Segment {
  /** Of this block and all before it. */
  readonly hash: string;
  readonly tokensSoFar: number;
  readonly breakpoint: Ttl | null;
}

/** How the tokens of a prompt are billed. */
export interface PromptTokens {
  /** Behind the last breakpoint. */
  readonly uncached: number;
  readonly read: number;
  readonly written5m: number;
  readonly written1h: number;
}

/** Which part of a prompt can be read from the cache, given what was sent before. */
export class PromptCache {
  readonly #writtenUntil = new Map<string, { readonly expiresAt: number; readonly ttl: Ttl }>();

  /** Bills the prompt, and writes and refreshes what it asks to be kept. `now` in milliseconds. */
  take(request: ClaudeRequest, model: ClaudeModel, now: number): PromptTokens {
    const segments = segmentsOf(request);
    const total = segments.at(-1)?.tokensSoFar ?? 0;
    const marks = segments
      .map((segment, index) => ({ ...segment, index }))
      .filter(
        ({ breakpoint, tokensSoFar }) => breakpoint !== null && tokensSoFar >= model.minCacheableTokens,
      );
    const read = Math.max(0, ...marks.map(({ index }) => this.#find(segments, index, now)));
    let written5m = 0;
    let written1h = 0;
    let end = read;
    for (const { hash, tokensSoFar, breakpoint } of marks) {
      const ttl = breakpoint ?? '5m';
      const added = Math.max(0, tokensSoFar - end);
      if (ttl === '1h') written1h += added;
      else written5m += added;
      end = Math.max(end, tokensSoFar);
      this.#writtenUntil.set(hash, { expiresAt: now + TTL_MS[ttl], ttl });
    }
    return { uncached: total - end, read, written5m, written1h };
  }

  #find(segments: readonly Segment[], breakpoint: number, now: number): number {
    for (let index = breakpoint; index >= Math.max(0, breakpoint - LOOKBACK_BLOCKS); index -= 1) {
      const segment = segments[index];
      const entry = segment && this.#writtenUntil.get(segment.hash);
      if (!entry || entry.expiresAt <= now) continue;
      this.#writtenUntil.set(segment.hash, { ...entry, expiresAt: now + TTL_MS[entry.ttl] });
      return segment.tokensSoFar;
    }
    return 0;
  }
}

/** All tokens of a prompt, cached or not. */
export function countPrompt(request: ClaudeRequest): number {
  return segmentsOf(request).at(-1)?.tokensSoFar ?? 0;
}

/** Tools, then system, then messages. Settings of thinking and of tool choice are part of what the messages stand on. */
function segmentsOf(request: ClaudeRequest): Segment[] {
  const { tools = [], system = [], model, thinking, tool_choice: choice, cache_control: last } = request;
  const texts = typeof system === 'string' ? [{ type: 'text' as const, text: system }] : system;
  const segments: Segment[] = [];
  let hash = digest('', model);
  let tokensSoFar = 0;
  const add = (block: object, mark: { readonly ttl?: Ttl | undefined } | null | undefined) => {
    const text = JSON.stringify({ ...block, cache_control: undefined });
    hash = digest(hash, text);
    tokensSoFar += tokensOf(text);
    segments.push({ hash, tokensSoFar, breakpoint: mark ? (mark.ttl ?? '5m') : null });
  };
  for (const tool of tools) add(tool, tool.cache_control);
  for (const text of texts) add(text, 'cache_control' in text ? text.cache_control : null);
  hash = digest(hash, JSON.stringify([thinking ?? null, choice ?? null]));
  const placed = turnsOf(request).flatMap(({ role, blocks }) => blocks.map(({ block }) => ({ role, block })));
  const lastCacheable = placed.findLastIndex(({ block }) => !block.type.endsWith('thinking'));
  for (const [index, { role, block }] of placed.entries()) {
    add({ role, ...block }, cacheControlOf(block) ?? (index === lastCacheable ? last : null));
  }
  return segments;
}

function digest(before: string, text: string): string {
  return createHash('sha256').update(before).update('\n').update(text).digest('hex');
}
