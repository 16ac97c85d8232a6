import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readlink } from 'node:fs/promises';
import type { Confinement } from './confined-path';
import { confinePath, isReadableReal } from './confined-path';
import { ToolProblem } from './tool-result';

export interface TextFile {
  readonly display: string;
  readonly bytes: Buffer;
  readonly text: string;
}

/** O_NONBLOCK: opening a FIFO must not wait for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Reads one regular UTF-8 file of at most `maxBytes` inside the confinement. Throws ToolProblem for anything else. What is
 * judged is what was opened: a path that is exchanged between check and open is caught.
 */
export async function readTextFile(
  confinement: Confinement,
  path: string,
  maxBytes: number,
): Promise<TextFile> {
  const { real, display } = await confinePath(confinement, path);
  const handle = await open(real, FLAGS).catch((error: NodeJS.ErrnoException) => {
    throw new ToolProblem(`${JSON.stringify(display)} cannot be opened (${error.code ?? error.message}).`);
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile())
      throw new ToolProblem(`${JSON.stringify(display)} is no regular file; use list_files.`);
    if (!isReadableReal(confinement, await openedPath(handle, real))) {
      throw new ToolProblem(`${JSON.stringify(display)} changed while it was opened; nothing was read.`);
    }
    const bytes = await readAtMost(handle, maxBytes + 1);
    if (bytes.length > maxBytes) {
      throw new ToolProblem(
        `${JSON.stringify(display)} has ${stat.size} bytes, more than the ${maxBytes} that are read; use search_code for the lines you need.`,
      );
    }
    return { display, bytes, text: decodeText(bytes, display) };
  } finally {
    await handle.close();
  }
}

/** Linux knows the path of an open file; elsewhere the checked path has to do. */
export async function openedPath(handle: FileHandle, checked: string): Promise<string> {
  if (process.platform !== 'linux') return checked;
  return readlink(`/proc/self/fd/${handle.fd}`);
}

/** The size that stat reports may be wrong by now, or zero (/proc). */
async function readAtMost(handle: FileHandle, maxBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(maxBytes);
  let length = 0;
  while (length < maxBytes) {
    const { bytesRead } = await handle.read(buffer, length, maxBytes - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function decodeText(bytes: Buffer, display: string): string {
  const problem = new ToolProblem(`${JSON.stringify(display)} is not a text file.`);
  if (bytes.includes(0)) throw problem;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw problem;
  }
}
