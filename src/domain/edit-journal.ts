import { z } from 'zod';

const content = z.object({ sha256: z.string().nullable(), mode: z.number().nullable() });

const entry = z.object({
  at: z.string(),
  /** Operation ID of the call; the same in every repetition. */
  operation: z.string(),
  ticket: z.string(),
  tool: z.enum(['edit_file', 'restore_file', 'undo_edits']),
  path: z.string(),
  before: content,
  after: content,
  /** `begun` is on disk before the file is touched, `done` after. */
  phase: z.enum(['begun', 'done']),
  /** Of an undo: the person who ordered it. Absent when a ticket did it by itself. */
  person: z.object({ by: z.string(), reason: z.string() }).optional(),
});

/** One line of a service's edit journal. */
export type EditEntry = Readonly<z.infer<typeof entry>>;
export type EditTool = EditEntry['tool'];

/** Null for a line that a crash cut off: what it was to announce has not begun. */
export function parseEditEntry(data: unknown): EditEntry | null {
  return entry.safeParse(data).data ?? null;
}

/** What an earlier try of the same call was to do; null when there was none. */
export function findOperation(
  journal: readonly EditEntry[],
  operation: string,
  path: string,
): EditEntry | null {
  return journal.find((entry) => entry.operation === operation && entry.path === path) ?? null;
}

export interface Intent {
  /** The restore, or the person's undo. */
  readonly entry: EditEntry;
  /** Whether it belongs to the ticket that asks. */
  readonly isOwn: boolean;
}

/**
 * What says that exactly this content is meant so: a person had it put back, or a restore already replaced it (and it came
 * back, or restoring it did not help). A restore that another ticket undid by itself does not count.
 */
export function findIntent(
  journal: readonly EditEntry[],
  file: { readonly path: string; readonly sha256: string | null; readonly ticket: string },
): Intent | null {
  const done = journal.filter((entry) => entry.phase === 'done' && entry.path === file.path);
  for (const [index, entry] of [...done.entries()].reverse()) {
    const isOwn = entry.ticket === file.ticket;
    if (entry.person && entry.after.sha256 === file.sha256) return { entry, isOwn };
    if (entry.tool !== 'restore_file' || entry.before.sha256 !== file.sha256) continue;
    const isUndone = done
      .slice(index + 1)
      .some((later) => later.tool === 'undo_edits' && later.ticket === entry.ticket);
    if (isOwn || !isUndone) return { entry, isOwn };
  }
  return null;
}

/** A file a ticket changed: as it was found, and every content the ticket was to leave there. */
export interface TicketEdit {
  readonly path: string;
  readonly found: EditEntry['before'];
  /** Hashes; null stands for no file. */
  readonly written: readonly EditEntry['after']['sha256'][];
}

/**
 * What a ticket would have to put back, each file once. Goes by what was begun, in any of its edits: whether the last one was
 * done shows in the file itself, which is put back only where its content is one of the ticket's.
 */
export function editsToUndo(journal: readonly EditEntry[], ticket: string): TicketEdit[] {
  const edits = new Map<string, TicketEdit>();
  for (const { ticket: by, tool, path, phase, before, after } of journal) {
    if (by !== ticket) continue;
    if (tool === 'undo_edits') {
      if (phase === 'done') edits.delete(path);
    } else if (phase === 'begun') {
      const { found = before, written = [] } = edits.get(path) ?? {};
      edits.set(path, { path, found, written: [...written, after.sha256] });
    }
  }
  return [...edits.values()];
}

/** The files that an undo has put back already, in earlier tries of the same call. */
export function undoneByOperation(journal: readonly EditEntry[], operation: string): string[] {
  return journal
    .filter((entry) => isDoneUndo(entry) && entry.operation === operation)
    .map(({ path }) => path);
}

/** Edits of a ticket that a person has taken back. */
export interface UndoneEdits {
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  readonly files: readonly string[];
}

/** Every undo that a person ordered for this ticket and that put something back, oldest first. */
export function undosByPerson(journal: readonly EditEntry[], ticket: string): UndoneEdits[] {
  const undos = new Map<string, UndoneEdits>();
  for (const entry of journal) {
    const { at, operation, path, person } = entry;
    if (!isDoneUndo(entry) || entry.ticket !== ticket || !person) continue;
    const files = [...(undos.get(operation)?.files ?? []), path];
    undos.set(operation, { at, by: person.by, reason: person.reason, files });
  }
  return [...undos.values()];
}

function isDoneUndo({ tool, phase }: EditEntry): boolean {
  return tool === 'undo_edits' && phase === 'done';
}
