import { z } from 'zod';

/** `left`: not touched, because it is not as the ticket left it. `failed`: it should have been put back and was not. */
const OUTCOMES = ['undone', 'as_found', 'left', 'failed'] as const;

const undoReport = z.object({
  files: z.array(z.object({ path: z.string(), outcome: z.enum(OUTCOMES), reason: z.string() })),
});

/** What `undo_edits` says in its data about each file the ticket had changed. */
export type UndoReport = Readonly<z.infer<typeof undoReport>>;
export type UndoneFile = Readonly<UndoReport['files'][number]>;

/** Null when the tool did not get as far as the files. */
export function parseUndoReport(data: unknown): UndoReport | null {
  return undoReport.safeParse(data).data ?? null;
}
