import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ServiceConfig } from '../config/config';
import type { FileNow } from '../domain/known-good';
import type { Confinement } from './tools/confined-path';
import { createConfinement, isDeniedPath } from './tools/confined-path';
import { openedPath } from './tools/read-text-file';
import { walkFiles } from './tools/walk-files';

export const MAX_EDITABLE_BYTES = 256 * 1024;
/** Folders of configuration are small; more than this is no configuration. */
const MAX_FILES = 200;
const WALK = { maxEntries: 5_000, timeoutMs: 1_000 };
/** O_NONBLOCK: opening a FIFO must not wait for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface EditableFile extends FileNow {
  /** Null when there is none, or it cannot be kept. */
  readonly bytes: Buffer | null;
  readonly mode: number | null;
  /** The latest moment at which this state may have come about. */
  readonly writtenAtMs: number;
}

/** What of each service may be edited, by its name. Roots are resolved now, once: see `createConfinement`. */
export function createEditConfinements(
  services: readonly Pick<ServiceConfig, 'name' | 'cwd' | 'files'>[],
): ReadonlyMap<string, Confinement> {
  return new Map(
    services.map(({ name, cwd, files }) => [
      name,
      createConfinement({ cwd, files: { read: [], edit: files.edit } }),
    ]),
  );
}

/** The editable files as they are; a plain path without a file is listed as absent. Null: there are too many to watch. */
export async function readEditableFiles(
  confinement: Confinement | undefined,
  signal: AbortSignal,
): Promise<EditableFile[] | null> {
  if (!confinement) return [];
  const plain = confinement.roots.filter(({ glob }) => !isPattern(glob));
  const paths = new Set(
    plain.map(({ real, glob }) => join(real, glob)).filter((path) => !isDeniedPath(path)),
  );
  const roots = confinement.roots.filter(({ glob }) => isPattern(glob));
  const walk = walkFiles({ ...confinement, roots }, null, { ...WALK, signal });
  for await (const path of walk.files) {
    paths.add(path);
    if (paths.size > MAX_FILES) return null;
  }
  if (walk.stoppedBy() !== null) return null;
  return await Promise.all([...paths].sort().map(readEditableFile));
}

/**
 * Reads one file whose real path is known to be inside the confinement. Never throws: what cannot be read is skipped, and so
 * is what lies elsewhere because a folder on the way became a link.
 */
export async function readEditableFile(path: string): Promise<EditableFile> {
  const skipped: EditableFile = {
    path,
    sha256: null,
    isSkipped: true,
    bytes: null,
    mode: null,
    writtenAtMs: Infinity,
  };
  let handle: FileHandle;
  try {
    handle = await open(path, FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') return skipped;
    return { ...skipped, isSkipped: false, writtenAtMs: await lastChangeAbove(path) };
  }
  try {
    const opened = await openedPath(handle, path);
    if (opened.replace(/ \(deleted\)$/, '') !== path) return skipped;
    const before = await handle.stat();
    if (!before.isFile() || before.size > MAX_EDITABLE_BYTES) return skipped;
    const bytes = await handle.readFile();
    // Looked at after reading: whoever wrote meanwhile must not pass for older than it is.
    const after = await handle.stat();
    if (bytes.length > MAX_EDITABLE_BYTES || !isText(bytes)) return skipped;
    return {
      path,
      sha256: sha256(bytes),
      isSkipped: false,
      bytes,
      mode: after.mode & 0o7777,
      writtenAtMs: Math.max(after.mtimeMs, after.ctimeMs),
    };
  } catch {
    return skipped;
  } finally {
    await handle.close();
  }
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A file that is missing was removed before its folder last changed. */
async function lastChangeAbove(path: string): Promise<number> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      const { mtimeMs, ctimeMs } = await stat(folder);
      return Math.max(mtimeMs, ctimeMs);
    } catch {
      if (folder === dirname(folder)) return Infinity;
    }
  }
}

function isPattern(glob: string): boolean {
  return /[*?]/.test(glob);
}

/** Must survive as a string byte for byte. */
function isText(bytes: Buffer): boolean {
  return !bytes.includes(0) && Buffer.from(bytes.toString('utf8')).equals(bytes);
}
