import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Confinement } from './confined-path';
import { confinementOf } from './confinement-of';
import { readTextFile } from './read-text-file';
import type { Tool } from './tool';
import { defineTool } from './tool';
import { ToolProblem } from './tool-result';

const MAX_FILE_BYTES = 256 * 1024;

const input = z.strictObject({
  path: z.string().min(1).max(4_096),
  /** First line, counted from 1. */
  offset: z.number().int().min(1).optional(),
  /** Number of lines. */
  limit: z.number().int().min(1).max(10_000).optional(),
});

/** Reads a text file of the ticket's service. */
export function createReadFile(confinements: ReadonlyMap<string, Confinement>): Tool {
  return defineTool('read_file', input, async ({ path, offset = 1, limit }, { ticket }) => {
    const file = await readTextFile(confinementOf(confinements, ticket), path, MAX_FILE_BYTES);
    const lines = file.text.split('\n');
    if (lines.at(-1) === '') lines.pop();
    if (offset > Math.max(lines.length, 1)) {
      throw new ToolProblem(`${file.display} has ${lines.length} lines; offset ${offset} is behind its end.`);
    }
    const shown = lines.slice(offset - 1, limit === undefined ? undefined : offset - 1 + limit);
    const to = offset - 1 + shown.length;
    return {
      content: `${file.display}, lines ${shown.length === 0 ? 0 : offset} to ${to} of ${lines.length}:\n${shown.join('\n')}`,
      data: {
        path: file.display,
        lines: lines.length,
        bytes: file.bytes.length,
        sha256: createHash('sha256').update(file.bytes).digest('hex'),
      },
    };
  });
}
