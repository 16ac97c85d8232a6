import { digest } from './digest';
import { canonicalJson } from './json';
import type { ToolCall, ToolResult } from './tool';
import { isActingTool, isToolName } from './tool';

/** How often each call of this attempt had a result like its latest one in a row; by digests, so it stays small. */
export type CallBreakerState = Readonly<Record<string, { readonly result: string; readonly times: number }>>;

/** The same call with a result that says nothing new so often is a loop. */
const MAX_SAME = 3;

/** Why this call is not run once more, and what to do instead; null when it may run. */
export function refuseRepeat(state: CallBreakerState, call: ToolCall): string | null {
  const times = state[keyOf(call)]?.times ?? 0;
  if (times < MAX_SAME) return null;
  return (
    `${call.name} with exactly this input gave the same result ${times} times; it is not run again. Ask something ` +
    'else, act on what you know, or hand over to a person with update_ticket_status {"status":"blocked"}.'
  );
}

/**
 * Notes what came of a call. After an effect the old answers are out of date, so other calls are counted anew. The latest
 * stands last.
 */
export function recordCall(state: CallBreakerState, call: ToolCall, result: ToolResult): CallBreakerState {
  const key = keyOf(call);
  const seen = digest(`${result.isError ? 'error' : 'ok'} ${newsOf(call, result)}`);
  const before = state[key];
  const entry = { result: seen, times: before?.result === seen ? before.times + 1 : 1 };
  const hadEffect = isToolName(call.name) && isActingTool(call.name) && !result.isError;
  const others = hadEffect ? [] : Object.entries(state).filter(([other]) => other !== key);
  return Object.fromEntries([...others, [key, entry]]);
}

/** A look at a service measures anew each time; moments, load and memory say nothing by themselves. Other tools quote what is. */
function newsOf({ name }: ToolCall, { content }: ToolResult): string {
  if (name !== 'inspect_service') return content;
  return content
    .replace(/\b\d+(\.\d+)? (?:(ms|MiB)\b|%)/g, '$2')
    .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, 'then');
}

function keyOf({ name, input }: ToolCall): string {
  return `${name.slice(0, 64)}:${digest(canonicalJson(input))}`;
}
