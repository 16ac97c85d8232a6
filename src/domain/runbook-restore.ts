import { z } from 'zod';
import type { Inspection } from './inspection';
import { isRecord } from './json';
import type { Json } from './json';
import type { ToolResult } from './tool';

/** More changed files than this are somebody's work in progress. */
const MAX_RESTORES = 5;
/** A service that reloads by itself has this long to do it; the look ends as soon as the invariant holds. */
export const RELOAD_S = 2;

export const restoreMemory = z.object({
  /** Each attempt compares and restores once. */
  hasBegun: z.boolean(),
  queue: z.array(z.object({ path: z.string(), expect: z.string() })),
  /** The process as it was when the files were found changed; `exited` when there was none. */
  belief: z.union([z.literal('exited'), z.object({ pid: z.number(), started_at: z.string() })]),
  hasEdited: z.boolean(),
  /** Why a file was not restored although it changed. */
  refused: z.string().nullable(),
  /** What a person is to be asked once the edits are undone. */
  ask: z.object({ reason: z.string(), toTry: z.array(z.string()) }).nullable(),
});
type RestoreMemory = Readonly<z.infer<typeof restoreMemory>>;

export const NOTHING_RESTORED: RestoreMemory = {
  hasBegun: false,
  queue: [],
  belief: 'exited',
  hasEdited: false,
  refused: null,
  ask: null,
};

/** What this rung wants next; the ladder makes a step of it. */
export type RestoreMove =
  | {
      readonly kind: 'call';
      readonly text: string;
      readonly tool: 'what_changed' | 'restore_file';
      readonly input: { readonly [key: string]: Json };
      readonly memory: RestoreMemory;
      readonly tried?: string;
    }
  | { readonly kind: 'restart'; readonly memory: RestoreMemory }
  | { readonly kind: 'look'; readonly waitSeconds: number; readonly memory: RestoreMemory };

/** Compares with the last good state before anything is restarted blindly; null when nothing changed, or it was done. */
export function beginRestore(service: string, memory: RestoreMemory, seen: Inspection): RestoreMove | null {
  if (memory.hasBegun || seen.changed.length === 0 || seen.changed.length > MAX_RESTORES) return null;
  const { pid, startedAt } = seen.service ?? { pid: null, startedAt: null };
  return {
    kind: 'call',
    text: 'Its files are not as they were when it last worked: see what changed.',
    tool: 'what_changed',
    input: { service },
    memory: {
      ...NOTHING_RESTORED,
      hasBegun: true,
      queue: seen.changed
        .filter(({ change }) => change !== 'unreadable')
        .map(({ path, sha256 }) => ({ path, expect: sha256 ?? 'absent' })),
      belief: pid !== null && startedAt !== null ? { pid, started_at: startedAt } : 'exited',
    },
  };
}

/** What follows from the result of `what_changed` or `restore_file`. */
export function continueRestore(memory: RestoreMemory, result: ToolResult): RestoreMove {
  const outcome = isRecord(result.data) ? result.data['outcome'] : null;
  if (outcome === 'intended') return restoreNext({ ...memory, refused: result.content });
  // Somebody works on it at this moment: begin again with what is there now.
  if (outcome === 'fenced')
    return { kind: 'look', waitSeconds: RELOAD_S, memory: { ...memory, hasBegun: false } };
  // An outcome that is not known may be an edit; undoing one that was none changes nothing.
  const mayHaveEdited = result.tool === 'restore_file' && outcome !== 'noop' && outcome !== 'refused';
  return restoreNext({ ...memory, hasEdited: memory.hasEdited || mayHaveEdited });
}

function restoreNext(memory: RestoreMemory): RestoreMove {
  const [next, ...queue] = memory.queue;
  if (next) {
    return {
      kind: 'call',
      text: 'Put the file back as it was when the service last worked.',
      tool: 'restore_file',
      input: { path: next.path, expect: next.expect },
      memory: { ...memory, queue },
      tried: `restore of ${next.path}`,
    };
  }
  if (!memory.hasEdited) return { kind: 'look', waitSeconds: 0, memory };
  return memory.belief === 'exited'
    ? { kind: 'restart', memory }
    : { kind: 'look', waitSeconds: RELOAD_S, memory };
}
