import { randomBytes } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errorCode } from './error-code';

/*
 * A file that only grows, `name.ndjson`, is closed by renaming it to `name.<number>-<random>.ndjson`. Nothing is rewritten,
 * so that two processes may write and close at the same time and lose no line: who still has the file open writes to its
 * new name, and the random part keeps one closed part from replacing another.
 */

const CLOSED = /^\.(\d{8})-[0-9a-f]{8}\.ndjson$/;

/** Closed parts of `file`, oldest first. */
export async function closedSegments(file: string): Promise<readonly string[]> {
  const folder = dirname(file);
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names
    .filter((name) => numberOf(file, name) !== null)
    .sort()
    .map((name) => join(folder, name));
}

/** Closes `file` when it has grown to so many bytes. Throws when it cannot be renamed. */
export async function closeSegmentAt(file: string, bytes: number): Promise<void> {
  try {
    if ((await stat(file)).size < bytes) return;
    const last = (await closedSegments(file)).at(-1) ?? '';
    const number = String((numberOf(file, basename(last)) ?? 0) + 1).padStart(8, '0');
    const name = `${stem(file)}.${number}-${randomBytes(4).toString('hex')}.ndjson`;
    await rename(file, join(dirname(file), name));
  } catch (error) {
    // There is none yet, or another process has just closed it.
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes all but the last closed parts. */
export async function keepLastSegments(file: string, count: number): Promise<void> {
  for (const segment of (await closedSegments(file)).slice(0, -count)) await rm(segment, { force: true });
}

function numberOf(file: string, name: string): number | null {
  if (!name.startsWith(stem(file))) return null;
  const number = CLOSED.exec(name.slice(stem(file).length))?.[1];
  return number === undefined ? null : Number(number);
}

function stem(file: string): string {
  return basename(file, '.ndjson');
}
