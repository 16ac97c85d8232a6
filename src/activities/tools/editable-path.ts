import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { EditableFile } from '../editable-files';
import { readEditableFile } from '../editable-files';
import type { Confinement } from './confined-path';
import { displayPath, isDeniedPath, isListed, isReadableReal, resolveInput } from './confined-path';
import { REFUSED, ToolProblem } from './tool-result';

export interface EditableTarget {
  /** As it is right now; never a skipped one. */
  readonly file: EditableFile;
  readonly display: string;
}

/**
 * The file a brain means, which need not exist. Judged as written and as it really is; the last segment may be no link.
 * Throws ToolProblem for what may not be edited.
 */
export async function findEditable(confinement: Confinement, path: string): Promise<EditableTarget> {
  const lexical = resolveInput(confinement, path);
  if (isDeniedPath(lexical) || !isListed(confinement, lexical)) throw outside(confinement, path);
  const folder = await realpath(dirname(lexical)).catch(() => dirname(lexical));
  const real = join(folder, basename(lexical));
  if (!isReadableReal(confinement, real)) throw outside(confinement, path);
  const file = await readEditableFile(real);
  const display = displayPath(confinement, real);
  if (file.isSkipped) {
    throw new ToolProblem(
      `${JSON.stringify(display)} is no text file of at most 256 KiB (or it is a link); it cannot be edited. Ask a person.`,
      REFUSED,
    );
  }
  return { file, display };
}

function outside(confinement: Confinement, path: string): ToolProblem {
  const allowed = confinement.roots.map((root) => displayPath(confinement, join(root.path, root.glob)));
  return new ToolProblem(
    `${JSON.stringify(path.slice(0, 300))} may not be edited by this ticket. Editable: ${allowed.join(', ') || 'nothing'}.`,
    REFUSED,
  );
}
