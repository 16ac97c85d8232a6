import { z } from 'zod';
import type { Intent } from '../../domain/edit-journal';
import { findIntent } from '../../domain/edit-journal';
import { readLastGood } from '../known-good-store';
import { editOnce, FENCED, wasDoneBefore } from './edit-once';
import type { Edit } from './edit-once';
import type { OpenEdit } from './open-edit';
import { findEditable } from './editable-path';
import type { EditableTarget } from './editable-path';
import type { Tool, ToolDeps } from './tool';
import { defineTool } from './tool';
import { REFUSED, ToolProblem } from './tool-result';

const input = z.strictObject({
  path: z.string().min(1).max(4_096),
  /** What the caller saw there; the file is left alone when it is something else by now. */
  expect: z.union([z.literal('absent'), z.string().regex(/^[0-9a-f]{64}$/)]).optional(),
});

/**
 * Puts an editable file back as it was when the service last worked with it. Content that was replaced like this before and
 * is there again is meant so: it is left to a person.
 */
export function createRestoreFile(deps: ToolDeps, open: OpenEdit): Tool {
  return defineTool('restore_file', input, async ({ path, expect }, scope) => {
    const edit = open('restore_file', scope);
    const target = await findEditable(edit.confinement, path);
    const { file, display } = target;
    if (await wasDoneBefore(edit, file)) return restored(target, 'by an earlier try of this call');
    const { name, files } = edit.service;
    const good = await readLastGood(deps.dataDir, name, files.edit);
    if (!good)
      throw new ToolProblem(`No known-good copy of the files of ${name} is kept yet; ask a person.`, REFUSED);
    const version = good.files.find((one) => one.path === file.path);
    if (good.skipped.includes(file.path)) {
      throw new ToolProblem(`No known-good copy of ${display} is kept; ask a person.`, REFUSED);
    }
    if ((version?.sha256 ?? null) === file.sha256) {
      return { content: `${display} is as it was when the service last worked.`, data: { outcome: 'noop' } };
    }
    if (expect !== undefined && expect !== (file.sha256 ?? 'absent')) {
      throw new ToolProblem(`${display} is not as you saw it; nothing was written. Look again.`, FENCED);
    }
    await refuseIntent(edit, target);
    const bytes = version?.content == null ? null : Buffer.from(version.content);
    await editOnce(edit, file, { bytes, mode: version?.mode ?? null });
    return restored(target, `of ${good.at}`);
  });
}

async function refuseIntent(edit: Edit, { file, display }: EditableTarget): Promise<void> {
  const { path, sha256 } = file;
  const intent = findIntent(await edit.journal.read(), { path, sha256, ticket: edit.ticket });
  if (intent) throw new ToolProblem(`${sayIntent(display, intent)} Ask a person.`, { outcome: 'intended' });
}

function sayIntent(display: string, { entry, isOwn }: Intent): string {
  const { at, ticket, person } = entry;
  if (person) {
    return `${display} was put back to exactly this content at ${at} by ${person.by}, who undid the edits of ticket ${ticket}: it is meant so.`;
  }
  return isOwn
    ? `${display} was restored from this content at ${at} by this ticket already; it is not done twice.`
    : `${display} was restored from exactly this content at ${at} (ticket ${ticket}), and somebody wrote it again: it is meant so.`;
}

function restored({ file, display }: EditableTarget, source: string) {
  return {
    content: `${display} is as it was when the service last worked (${source}); undo_edits puts it back as found.`,
    data: { outcome: 'performed', path: file.path },
  };
}
