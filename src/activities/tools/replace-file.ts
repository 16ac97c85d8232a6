import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readlink, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Confinement } from './confined-path';
import { isReadableReal } from './confined-path';
import { REFUSED, ToolProblem } from './tool-result';

export interface WantedFile {
  /** Null: there is to be no file. */
  readonly bytes: Buffer | null;
  readonly mode: number | null;
}

/**
 * Puts a whole file, or its absence, in place: a reader sees the old content or the new one. `path` is real and inside the
 * confinement; should its folder be exchanged for another meanwhile, nothing is written. The owner stays.
 */
export async function replaceFile(confinement: Confinement, path: string, wanted: WantedFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const folder = await open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const base = basename(path);
    const [real, place] = await placeOf(folder, dirname(path));
    if (!isReadableReal(confinement, join(real, base))) {
      throw new ToolProblem(
        `The folder of ${JSON.stringify(path)} is another one by now; nothing was written.`,
        REFUSED,
      );
    }
    if (wanted.bytes === null) await rm(join(place, base), { force: true });
    else await writeAndRename(place, base, wanted.bytes, wanted.mode ?? 0o600);
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Through the open folder, so that what was judged is what is written to; only Linux has such paths. */
async function placeOf(folder: FileHandle, path: string): Promise<readonly [real: string, place: string]> {
  if (process.platform !== 'linux') return [path, path];
  const place = `/proc/self/fd/${folder.fd}`;
  return [await readlink(place), place];
}

async function writeAndRename(place: string, base: string, bytes: Buffer, mode: number): Promise<void> {
  const target = join(place, base);
  const temporary = join(place, `.${base}.${randomBytes(6).toString('hex')}`);
  const owner = await stat(target).catch(() => null);
  const file = await open(temporary, 'wx', 0o600);
  try {
    try {
      await file.writeFile(bytes);
      const own = await file.stat();
      if (owner && (owner.uid !== own.uid || owner.gid !== own.gid)) await file.chown(owner.uid, owner.gid);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
