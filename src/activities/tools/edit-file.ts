import { z } from 'zod';
import { unifiedDiff } from '../../domain/unified-diff';
import { MAX_EDITABLE_BYTES } from '../editable-files';
import { editOnce, wasDoneBefore } from './edit-once';
import type { OpenEdit } from './open-edit';
import { findEditable } from './editable-path';
import type { Tool } from './tool';
import { defineTool } from './tool';
import { REFUSED, ToolProblem } from './tool-result';

const input = z.strictObject({
  path: z.string().min(1).max(4_096),
  /** Exactly as in the file, and only once in it. */
  old: z.string().min(1).max(MAX_EDITABLE_BYTES),
  new: z.string().max(MAX_EDITABLE_BYTES),
});

/** Replaces one passage of an editable file of the ticket's service. An undo copy is kept. */
export function createEditFile(open: OpenEdit): Tool {
  return defineTool('edit_file', input, async ({ path, old, new: replacement }, scope) => {
    const edit = open('edit_file', scope);
    const { file, display } = await findEditable(edit.confinement, path);
    if (await wasDoneBefore(edit, file)) {
      return {
        content: `${display} was changed by an earlier try of this call.`,
        data: { outcome: 'performed' },
      };
    }
    if (!file.bytes) throw new ToolProblem(`${JSON.stringify(display)} does not exist.`, REFUSED);
    const text = file.bytes.toString('utf8');
    const changed = replaceOnly(text, old, replacement, display);
    const bytes = Buffer.from(changed);
    if (bytes.length > MAX_EDITABLE_BYTES) {
      throw new ToolProblem(
        `${display} would have ${bytes.length} bytes; at most ${MAX_EDITABLE_BYTES}.`,
        REFUSED,
      );
    }
    await editOnce(edit, file, { bytes, mode: file.mode });
    return {
      content: `${display} is changed (undo_edits puts it back):\n${unifiedDiff(text, changed)}`,
      data: { outcome: 'performed', path: file.path },
    };
  });
}

function replaceOnly(text: string, old: string, replacement: string, display: string): string {
  if (old === replacement)
    throw new ToolProblem('"old" and "new" are the same; nothing was written.', REFUSED);
  const first = text.indexOf(old);
  if (first === -1 || text.includes(old, first + 1)) {
    const found = first === -1 ? 'is not in' : 'is more than once in';
    throw new ToolProblem(
      `"old" ${found} ${display}; nothing was written. Read the file and give a passage that stands in it exactly once.`,
      REFUSED,
    );
  }
  return text.slice(0, first) + replacement + text.slice(first + old.length);
}
