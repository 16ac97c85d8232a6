import { z } from 'zod';
import type { Confinement } from './confined-path';
import { confinementOf } from './confinement-of';
import { readTextFile } from './read-text-file';
import { realDirectory } from './real-directory';
import type { Tool } from './tool';
import { defineTool } from './tool';
import { ToolProblem } from './tool-result';
import { walkFiles } from './walk-files';

const LIMITS = { maxEntries: 20_000, timeoutMs: 2_000 };
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_TOTAL_BYTES = 32 * 1024 * 1024;
const MAX_MATCHES = 200;
const MAX_LINE_LENGTH = 300;

const input = z.strictObject({
  text: z.string().min(1).max(200),
  path: z.string().min(1).max(4_096).optional(),
});

/** Finds a fixed string (case counts, no patterns) in the readable files of the ticket's service. */
export function createSearchCode(confinements: ReadonlyMap<string, Confinement>): Tool {
  return defineTool('search_code', input, async ({ text, path }, { ticket, signal }) => {
    const confinement = confinementOf(confinements, ticket);
    const under = path === undefined ? null : await realDirectory(confinement, path);
    const walk = walkFiles(confinement, under, { ...LIMITS, signal });
    const matches: string[] = [];
    let files = 0;
    let bytes = 0;
    for await (const file of walk.files) {
      const found = await readTextFile(confinement, file, MAX_FILE_BYTES).catch(skipUnreadable);
      if (!found) continue;
      files += 1;
      bytes += found.bytes.length;
      matches.push(...findLines(found.text, text).map((line) => `${found.display}:${line}`));
      if (matches.length >= MAX_MATCHES || bytes > MAX_TOTAL_BYTES) break;
    }
    const truncated = matches.length >= MAX_MATCHES || bytes > MAX_TOTAL_BYTES || walk.stoppedBy() !== null;
    const shown = matches.slice(0, MAX_MATCHES);
    const note = truncated
      ? ['Not everything was searched or shown: narrow it down with path or a longer text.']
      : [];
    const head = `${shown.length} matching lines in ${files} files searched`;
    return {
      content: [head, ...shown, ...note].join('\n'),
      data: { matches: shown.length, files, truncated },
    };
  });
}

function findLines(content: string, text: string): string[] {
  if (!content.includes(text)) return [];
  return content
    .split('\n')
    .flatMap((line, index) =>
      line.includes(text) ? [`${index + 1}: ${line.trim().slice(0, MAX_LINE_LENGTH)}`] : [],
    );
}

/** Binary, too large, gone or forbidden: not searched. */
function skipUnreadable(error: unknown): null {
  if (error instanceof ToolProblem) return null;
  throw error;
}
