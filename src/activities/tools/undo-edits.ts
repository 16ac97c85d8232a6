import { z } from 'zod';
import type { TicketEdit } from '../../domain/edit-journal';
import { editsToUndo, undoneByOperation } from '../../domain/edit-journal';
import type { UndoneFile } from '../../domain/undo-report';
import { readEditableFile } from '../editable-files';
import { displayPath, isReadableReal } from './confined-path';
import type { Edit } from './edit-once';
import { editOnce, wasDoneBefore } from './edit-once';
import type { OpenEdit } from './open-edit';
import type { Tool, ToolDeps, ToolScope } from './tool';
import { defineTool } from './tool';
import { REFUSED, ToolProblem } from './tool-result';

/**
 * Puts this ticket's edits back as found. Files that somebody changed after the ticket are left alone, and one that cannot
 * be written does not keep the others; it says so of each.
 */
export function createUndoEdits(deps: Pick<ToolDeps, 'isAtWork'>, open: OpenEdit): Tool {
  return defineTool('undo_edits', z.strictObject({}), async (_input, scope) => {
    const edit = open('undo_edits', scope);
    const journal = await edit.journal.read();
    const files: UndoneFile[] = undoneByOperation(journal, edit.operation).map((path) => ({
      path,
      ...UNDONE,
    }));
    const edits = editsToUndo(journal, edit.ticket);
    if (edits.length > 0) await refuseWhileAtWork(deps, scope);
    for (const one of edits) {
      files.push({ path: one.path, ...(await undo(edit, one)) });
    }
    const count = (outcome: UndoneFile['outcome']) => files.filter((file) => file.outcome === outcome).length;
    const [undone, failed] = [count('undone'), count('failed')];
    const lines = files.map((file) => `${displayPath(edit.confinement, file.path)}: ${describe(file)}`);
    return {
      isError: failed > 0,
      content: lines.length > 0 ? lines.join('\n') : 'Nothing of this ticket is left to undo.',
      data: {
        outcome: failed > 0 ? 'failed' : undone > 0 ? 'performed' : 'noop',
        undone,
        left: count('left') + failed,
        files,
      },
    };
  });
}

/** A person's order may have waited for an agent, and the ticket may have begun an attempt meanwhile. */
async function refuseWhileAtWork(
  { isAtWork }: Pick<ToolDeps, 'isAtWork'>,
  { ticket, person }: ToolScope,
): Promise<void> {
  if (person === null || !(await isAtWork(ticket.ticketId))) return;
  throw new ToolProblem(
    `Ticket ${ticket.ticketId} is being worked on again: cancel it, which puts its edits back, or ask again once it is blocked or closed.`,
    REFUSED,
  );
}

type Outcome = Omit<UndoneFile, 'path'>;
const UNDONE: Outcome = { outcome: 'undone', reason: '' };
const left = (reason: string): Outcome => ({ outcome: 'left', reason });

async function undo(edit: Edit, one: TicketEdit): Promise<Outcome> {
  try {
    return await putBack(edit, one);
  } catch (error) {
    if (error instanceof ToolProblem) return left(error.message);
    return { outcome: 'failed', reason: error instanceof Error ? error.message : String(error) };
  }
}

async function putBack(edit: Edit, { path, found, written }: TicketEdit): Promise<Outcome> {
  // The journal is a file like others: what it names is judged anew.
  if (!isReadableReal(edit.confinement, path)) return left('is not an editable file of the service any more');
  const file = await readEditableFile(path);
  if (file.isSkipped) return left('cannot be read as a text file');
  if (await wasDoneBefore(edit, file)) return UNDONE;
  if (file.sha256 === found.sha256) return { outcome: 'as_found', reason: '' };
  if (!written.includes(file.sha256)) return left('was changed by somebody else after this ticket');
  const bytes = found.sha256 === null ? null : await edit.journal.readCopy(found.sha256);
  await editOnce(edit, file, { bytes, mode: found.mode });
  return UNDONE;
}

function describe({ outcome, reason }: UndoneFile): string {
  switch (outcome) {
    case 'undone':
      return 'put back as found';
    case 'as_found':
      return 'is as found';
    case 'left':
      return `${reason}; left alone`;
    case 'failed':
      return `not put back: ${reason}`;
  }
}
