import { stat } from 'node:fs/promises';
import { relative } from 'node:path';
import { z } from 'zod';
import { matchesGlob } from '../../domain/glob';
import type { Confinement } from './confined-path';
import { displayPath } from './confined-path';
import { confinementOf } from './confinement-of';
import { realDirectory } from './real-directory';
import type { Tool } from './tool';
import { defineTool } from './tool';
import { walkFiles } from './walk-files';

const MAX_FILES = 500;
const LIMITS = { maxEntries: 20_000, timeoutMs: 2_000 };

const input = z.strictObject({
  path: z.string().min(1).max(4_096).optional(),
  /** Glob over the file's name, or over its path below the service's directory when it has a slash. */
  pattern: z.string().min(1).max(500).optional(),
});

/** Lists the readable files of the ticket's service with their sizes. */
export function createListFiles(confinements: ReadonlyMap<string, Confinement>): Tool {
  return defineTool('list_files', input, async ({ path, pattern }, { ticket, signal }) => {
    const confinement = confinementOf(confinements, ticket);
    const under = path === undefined ? null : await realDirectory(confinement, path);
    const walk = walkFiles(confinement, under, { ...LIMITS, signal });
    const lines: string[] = [];
    let isFull = false;
    for await (const file of walk.files) {
      if (pattern !== undefined && !matchesPattern(confinement, file, pattern)) continue;
      isFull = lines.length >= MAX_FILES;
      if (isFull) break;
      const size = await stat(file).then(
        (found) => `${found.size} bytes, changed ${found.mtime.toISOString()}`,
        () => 'gone by now',
      );
      lines.push(`${displayPath(confinement, file)} (${size})`);
    }
    const truncated = isFull || walk.stoppedBy() !== null;
    const note = truncated ? ['There are more: narrow it down with path or pattern.'] : [];
    return {
      content:
        lines.length > 0 ? [...lines, ...note].join('\n') : ['No readable file matches.', ...note].join('\n'),
      data: { files: lines.length, truncated },
    };
  });
}

function matchesPattern(confinement: Confinement, file: string, pattern: string): boolean {
  const path = relative(confinement.cwd, file);
  return matchesGlob(pattern.includes('/') ? path : (path.split('/').at(-1) ?? path), pattern);
}
