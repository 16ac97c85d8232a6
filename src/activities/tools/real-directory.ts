import { realpath } from 'node:fs/promises';
import type { Confinement } from './confined-path';
import { isBelow, isDeniedPath, resolveInput } from './confined-path';
import { ToolProblem } from './tool-result';

/**
 * Real path of a directory (or file) to look below. Only a filter: what is found is judged file by file. It must touch the
 * readable roots, so that the answer does not tell whether other paths exist.
 */
export async function realDirectory(confinement: Confinement, path: string): Promise<string> {
  const lexical = resolveInput(confinement, path);
  const problem = new ToolProblem(
    `There is nothing readable below ${JSON.stringify(path.slice(0, 300))}; call list_files without a path to see what there is.`,
  );
  if (isDeniedPath(lexical)) throw problem;
  const touches = (candidate: string, root: string): boolean =>
    candidate === root || isBelow(root, candidate) || isBelow(candidate, root);
  const { roots } = confinement;
  if (!roots.some((root) => touches(lexical, root.path) || touches(lexical, root.real))) throw problem;
  // What is missing and what may not be seen look the same: nothing is found below either.
  return realpath(lexical).catch(() => lexical);
}
