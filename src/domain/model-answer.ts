import type { Json } from './json';
import { canonicalJson, isRecord } from './json';
import type { ToolCall } from './tool';
import { READ_TOOLS } from './tool';

/** A reply of the Messages API as far as rules read it; other servers leave fields out. */
export interface ModelMessage {
  readonly content: readonly ModelBlock[];
  readonly stop_reason: string | null;
  readonly stop_details?: { readonly category?: string | null; readonly explanation?: string | null } | null;
}

export interface ModelBlock {
  readonly type: string;
  readonly id?: unknown;
  readonly name?: unknown;
  readonly input?: unknown;
  readonly text?: unknown;
  readonly thinking?: unknown;
}

/** Their results must fit into one message of Temporal. */
const MAX_READS = 8;

/** A call that is answered without being run. */
interface UnrunCall {
  readonly id: string;
  readonly name: string;
  readonly reason: string;
}

interface Said {
  readonly text: string;
  /** Summaries of its thinking; empty when the model shows none. */
  readonly thinking: string;
}

export type ModelAnswer =
  /** Every call, run or not, is answered in the one next user turn. */
  | (Said & {
      readonly kind: 'calls';
      /** All that can be read, also those that are not run. */
      readonly asked: readonly ToolCall[];
      readonly calls: readonly ToolCall[];
      readonly unrun: readonly UnrunCall[];
    })
  | (Said & { readonly kind: 'finished' })
  /** A call in it may be incomplete: nothing of it is run. */
  | (Said & { readonly kind: 'truncated'; readonly why: 'max_tokens' | 'context_window' })
  | { readonly kind: 'refused'; readonly category: string | null; readonly explanation: string }
  /** A reason or a contradiction that no rule covers; `detail` is for people. */
  | { readonly kind: 'unknown'; readonly stopReason: string | null; readonly detail: string };

/**
 * What a reply asks for. The content itself goes back to the API exactly as it came; this only reads it.
 * https://docs.claude.com/en/build-with-claude/handling-stop-reasons
 */
export function readAnswer(message: ModelMessage): ModelAnswer {
  const { stop_reason: reason, content } = message;
  const said: Said = { text: join(content, 'text'), thinking: join(content, 'thinking') };
  const requests = content.filter((block) => block.type === 'tool_use');
  switch (reason) {
    case 'tool_use':
      return readCalls(requests, said);
    case 'end_turn':
    case 'stop_sequence':
      // Its call would have to be answered, but tools run only on "tool_use".
      if (requests.length > 0) return unknown(reason, 'it ends its turn and calls a tool at once');
      return { kind: 'finished', ...said };
    case 'max_tokens':
      return { kind: 'truncated', why: 'max_tokens', ...said };
    case 'model_context_window_exceeded':
      return { kind: 'truncated', why: 'context_window', ...said };
    case 'refusal':
      return {
        kind: 'refused',
        category: message.stop_details?.category ?? null,
        explanation: message.stop_details?.explanation ?? '',
      };
    case 'pause_turn':
      return unknown(reason, 'it pauses for tools of the server, and none is offered');
    default:
      return unknown(reason, 'no rule knows this stop reason');
  }
}

function readCalls(blocks: readonly ModelBlock[], said: Said): ModelAnswer {
  const calls: ToolCall[] = [];
  const unrun: UnrunCall[] = [];
  for (const { id, name, input } of blocks) {
    if (typeof id !== 'string' || id === '' || typeof name !== 'string') {
      return unknown('tool_use', 'a tool call has no id or no name, so it cannot be answered');
    }
    if (isInput(input)) calls.push({ id, name, input });
    else unrun.push({ id, name, reason: 'not executed because its input is not a JSON object' });
  }
  if (calls.length + unrun.length === 0) return unknown('tool_use', 'it asks for tools and names none');
  const fresh = withoutTwins(calls);
  const mayFanOut = fresh.every(({ name }) => (READ_TOOLS as readonly string[]).includes(name));
  const running = fresh.slice(0, mayFanOut ? MAX_READS : 1);
  const rule = mayFanOut ? `only ${MAX_READS} reads run at once` : 'only reads may be combined';
  const waiting = calls
    .flatMap((call) => (running.includes(call) ? [] : [call]))
    .map(({ id, name }) => ({
      id,
      name,
      reason:
        `not executed because ${running[0]?.name ?? 'another call'} ran first, and ${rule}, each of them once; ` +
        'look at the results, then call again if it is still needed',
    }));
  return { kind: 'calls', ...said, asked: calls, calls: running, unrun: [...unrun, ...waiting] };
}

/** The first of calls that ask for exactly the same. */
function withoutTwins(calls: readonly ToolCall[]): readonly ToolCall[] {
  const seen = new Set<string>();
  return calls.filter(({ name, input }) => {
    const key = `${name} ${canonicalJson(input)}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

function join(content: readonly ModelBlock[], type: 'text' | 'thinking'): string {
  return content
    .flatMap((block) => {
      const part = block.type === type ? block[type] : null;
      return typeof part === 'string' && part !== '' ? [part] : [];
    })
    .join('\n\n');
}

/** Parsed from JSON by the client, so an object is one of JSON. */
function isInput(input: unknown): input is { readonly [key: string]: Json } {
  return isRecord(input as Json);
}

function unknown(stopReason: string | null, detail: string): ModelAnswer {
  return { kind: 'unknown', stopReason, detail };
}
