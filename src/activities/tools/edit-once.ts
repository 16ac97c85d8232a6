import type { EditEntry, EditTool } from '../../domain/edit-journal';
import { findOperation } from '../../domain/edit-journal';
import type { PersonRequest } from '../../workflows/contract';
import type { EditJournal } from '../edit-journal-file';
import type { EditableFile } from '../editable-files';
import { sha256 } from '../editable-files';
import type { Confinement } from './confined-path';
import type { WantedFile } from './replace-file';
import { replaceFile } from './replace-file';
import { ToolProblem } from './tool-result';

export interface Edit {
  readonly journal: EditJournal;
  readonly confinement: Confinement;
  readonly operation: string;
  readonly ticket: string;
  readonly tool: EditTool;
  /** Who ordered it; null when the ticket works by itself. */
  readonly person: PersonRequest | null;
  readonly now: () => Date;
}

/** Nothing was done: the file is not as the caller believes. */
export const FENCED = { outcome: 'fenced' } as const;

/**
 * Whether an earlier try of the same call has done its work already (it may have died before it could say so). Throws
 * ToolProblem when the file shows neither what it found nor what it was to leave.
 */
export async function wasDoneBefore(edit: Edit, file: EditableFile): Promise<boolean> {
  const entries = await edit.journal.read();
  const begun = findOperation(entries, edit.operation, file.path);
  if (!begun) return false;
  if (entries.some((entry) => isSameOperation(entry, begun) && entry.phase === 'done')) return true;
  if (file.sha256 === begun.before.sha256) return false;
  if (file.sha256 !== begun.after.sha256) {
    throw new ToolProblem(
      'The file changed while an earlier try of this call was under way; look again.',
      FENCED,
    );
  }
  await edit.journal.append({ ...begun, phase: 'done', at: edit.now().toISOString() });
  return true;
}

/** Keeps a copy of the file as found, says what it is going to do, does it, says that it is done. */
export async function editOnce(edit: Edit, file: EditableFile, wanted: WantedFile): Promise<void> {
  if (file.bytes) await edit.journal.keepCopy(file.bytes);
  const entry: EditEntry = {
    at: edit.now().toISOString(),
    operation: edit.operation,
    ticket: edit.ticket,
    tool: edit.tool,
    path: file.path,
    before: { sha256: file.sha256, mode: file.mode },
    after: { sha256: wanted.bytes && sha256(wanted.bytes), mode: wanted.mode },
    phase: 'begun',
    ...(edit.person && { person: edit.person }),
  };
  await edit.journal.append(entry);
  await replaceFile(edit.confinement, file.path, wanted);
  await edit.journal.append({ ...entry, phase: 'done', at: edit.now().toISOString() });
}

function isSameOperation(a: EditEntry, b: EditEntry): boolean {
  return a.operation === b.operation && a.path === b.path;
}
