import type { Json } from '../../domain/json';
import type { Redact } from '../../domain/redaction';
import type { ToolCall, ToolResult } from '../../domain/tool';
import { looksLikeInstruction, stripInvisible } from '../../domain/untrusted-text';

export const MAX_CONTENT_BYTES = 16 * 1024;
export const HEAD_BYTES = 8 * 1024;
const MARKER_BYTES = 64;
/** Tools keep their data small; this is the fuse. */
const MAX_DATA_STRING_BYTES = MAX_CONTENT_BYTES;

/** What a tool hands back, before it is cleaned. */
export interface ToolOutcome {
  readonly isError?: boolean;
  readonly content: string;
  /** Small and structured; plain data only. */
  readonly data?: object;
}

/** Data of a call that did nothing: the workflow does not count it as an effect. */
export const REFUSED = { outcome: 'refused' } as const;

/** A failure the brain can do something about: the message says what was wrong, the value, and what to try next. */
export class ToolProblem extends Error {
  override readonly name = 'ToolProblem';
  constructor(
    message: string,
    readonly data: object = {},
  ) {
    super(message);
  }
}

/**
 * The one way from a tool to the brain: invisible characters stripped, then secrets masked (a hidden character inside a
 * secret must not protect it), then cut (a cut secret would not be recognised). Text that reads like an order is flagged.
 */
export function toToolResult(call: ToolCall, outcome: ToolOutcome, redact: Redact): ToolResult {
  const clean = (text: string): string => redact(stripInvisible(text));
  const content = clean(outcome.content);
  const data = mapStrings(toJson(outcome.data ?? {}), (text) =>
    clipMiddle(clean(text), MAX_DATA_STRING_BYTES / 2, MAX_DATA_STRING_BYTES / 2),
  );
  const flag = looksLikeInstruction(content) ? { flagged: true } : {};
  return {
    callId: call.id,
    tool: call.name,
    isError: outcome.isError ?? false,
    content: clipMiddle(content, HEAD_BYTES, MAX_CONTENT_BYTES - HEAD_BYTES - MARKER_BYTES),
    data: isObject(data) ? { ...data, ...flag } : data,
  };
}

/** Keeps the first and the last bytes of a text and says how much is missing between them. Never splits a character. */
export function clipMiddle(text: string, headBytes: number, tailBytes: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= headBytes + tailBytes) return text;
  let head = headBytes;
  while (head > 0 && isContinuation(bytes[head])) head -= 1;
  let tail = bytes.length - tailBytes;
  while (tail < bytes.length && isContinuation(bytes[tail])) tail += 1;
  return `${bytes.toString('utf8', 0, head)}\n[... ${tail - head} bytes left out ...]\n${bytes.toString('utf8', tail)}`;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function toJson(value: object): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}

function mapStrings(value: Json, change: (text: string) => string): Json {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item: Json) => mapStrings(item, change));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
  }
  return value;
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
