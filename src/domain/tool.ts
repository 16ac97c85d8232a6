import { isRecord } from './json';
import type { Json } from './json';
import type { TokenCounts } from './model-prices';
import type { Brain } from './ticket';

export const READ_TOOLS = [
  'inspect_service',
  'what_changed',
  'read_file',
  'list_files',
  'search_code',
  'query_logs',
  'query_metrics',
  'run_command',
] as const;
/** Tools that change files; what they did is put back when the ticket ends without proof. */
const EDIT_TOOLS = ['edit_file', 'restore_file', 'undo_edits'] as const;
/** Tools that change something outside the ticket. */
export const ACTING_TOOLS = ['service_control', ...EDIT_TOOLS] as const;
/** Tools that change only the ticket. */
export const TICKET_TOOLS = ['add_ticket_note', 'update_ticket_status'] as const;
export const TOOLS = [...READ_TOOLS, ...ACTING_TOOLS, ...TICKET_TOOLS] as const;
export type ToolName = (typeof TOOLS)[number];

export function isToolName(name: string): name is ToolName {
  return (TOOLS as readonly string[]).includes(name);
}

export function isActingTool(name: ToolName): name is (typeof ACTING_TOOLS)[number] {
  return (ACTING_TOOLS as readonly string[]).includes(name);
}

export function isEditTool(name: ToolName): boolean {
  return (EDIT_TOOLS as readonly string[]).includes(name);
}

/** Whether a call may change something outside the ticket; it is decided in the moment in which it runs. */
export function isActingCall({ name }: Pick<ToolCall, 'name'>): boolean {
  return isToolName(name) && isActingTool(name);
}

/** A call a brain proposes. `name` is whatever the brain said: an unknown tool is refused by policy, not by a crash. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: { readonly [key: string]: Json };
}

/** What came of a call; goes to the brain as text, and as data where a rule needs it. */
export interface ToolResult {
  readonly callId: string;
  readonly tool: string;
  /** A failed call is data for the brain: `content` says what to try next. */
  readonly isError: boolean;
  /** At most 16 KiB, redacted. */
  readonly content: string;
  readonly data: Json;
}

/** One turn of a brain: what it thinks and the calls it wants. */
export interface Proposal {
  readonly brain: Brain;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  /** For each of `calls`, in their order, what policy said; null, or absent, where it is asked right before the call runs. */
  readonly decisions?: readonly (Decision | null)[];
  /** What the brain needs to know next turn. */
  readonly memory: Json;
  /** Results of calls that are answered without being run; only a model makes such calls. */
  readonly unrun?: readonly ToolResult[];
  /** It ends its turn without a call, as one that is done: the proof decides. */
  readonly isFinished?: boolean;
  /** It cannot go on, and why: the next brain takes over. */
  readonly handOver?: string;
  /** Absent for a brain that is no model. */
  readonly model?: ModelTurn;
}

/** What a turn of a model adds to its transcript, and what it cost. */
export interface ModelTurn {
  readonly name: string;
  /** Of prompt, tools and model; a transcript keeps to the one it began with. */
  readonly version: string;
  /** The first message, when a transcript begins with this turn; null when it goes on. */
  readonly opening: string | null;
  /** The reply's content blocks as they came; they go back to the model unchanged. */
  readonly content: readonly Json[];
  readonly stopReason: string | null;
  readonly requestId: string | null;
  readonly tokens: TokenCounts;
  /** Null when the model's price is not known. */
  readonly usd: number | null;
  /** Of the whole attempt so far, failed and repeated calls included. */
  readonly attemptUsd: number;
}

export interface Decision {
  readonly verdict: 'allow' | 'deny';
  /** The rule that decided, for the trajectory. */
  readonly rule: string;
  /** For a denial: why, and the allowed way to the same end. */
  readonly reason: string;
}

/** What came of an acting call: an error that says nothing else may come after the deed. */
export function mayHaveChangedSomething({ isError, data }: Pick<ToolResult, 'isError' | 'data'>): boolean {
  const outcome = isRecord(data) ? (data['outcome'] ?? null) : null;
  return outcome === 'performed' || outcome === 'failed' || (isError && outcome === null);
}
