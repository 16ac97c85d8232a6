import { z } from 'zod';
import type { TicketEdit } from '../../domain/edit-journal';
import { editsToUndo } from '../../domain/edit-journal';
import { readEditableFile } from '../editable-files';
import { displayPath, isReadableReal } from './confined-path';
import type { Edit } from './edit-once';
import { editOnce } from './edit-once';
import type { OpenEdit } from './open-edit';
import type { Tool } from './tool';
import { defineTool } from './tool';

/** Puts this ticket's edits back as found. Files that somebody changed after the ticket are left alone, and it says so. */
export function createUndoEdits(open: OpenEdit): Tool {
  return defineTool('undo_edits', z.strictObject({}), async (_input, scope) => {
    const edit = open('undo_edits', scope);
    const edits = editsToUndo(await edit.journal.read(), edit.ticket);
    const lines: string[] = [];
    let undone = 0;
    let left = 0;
    for (const one of edits) {
      const outcome = await undo(edit, one);
      if (outcome === 'undone') undone += 1;
      if (outcome === 'left') left += 1;
      lines.push(`${displayPath(edit.confinement, one.path)}: ${WORDS[outcome]}`);
    }
    return {
      content: lines.length > 0 ? lines.join('\n') : 'This ticket has changed no file.',
      data: { outcome: undone > 0 ? 'performed' : 'noop', undone, left },
    };
  });
}

const WORDS = {
  undone: 'put back as found',
  as_found: 'is as found',
  left: 'was changed by somebody else after this ticket; left alone',
} as const;

async function undo(edit: Edit, { path, found, left }: TicketEdit): Promise<keyof typeof WORDS> {
  // The journal is a file like others: what it names is judged anew.
  if (!isReadableReal(edit.confinement, path)) return 'left';
  const file = await readEditableFile(path);
  if (file.isSkipped) return 'left';
  if (file.sha256 === found.sha256) return 'as_found';
  if (file.sha256 !== left.sha256) return 'left';
  const bytes = found.sha256 === null ? null : await edit.journal.readCopy(found.sha256);
  await editOnce(edit, file, { bytes, mode: found.mode });
  return 'undone';
}
