import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../client/error-code';
import { paths } from '../config/paths';

const KEEP_BYTES = 64 * 1024 * 1024;

/** Keeps the newest 64 MiB of stored command output: by size and order alone, so that a clock that was set costs nothing. */
export async function pruneOutputs(dataDir: string, keepBytes = KEEP_BYTES): Promise<void> {
  const folder = paths.outputs(dataDir);
  const files = await Promise.all((await listOutputs(folder)).map((name) => describe(join(folder, name))));
  const newestFirst = files.flatMap((file) => file ?? []).sort((a, b) => b.mtimeMs - a.mtimeMs);
  let total = 0;
  for (const { path, size } of newestFirst) {
    total += size;
    if (total > keepBytes) await rm(path, { force: true });
  }
}

async function listOutputs(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith('.txt'));
}

/** Null: another agent has just removed it. */
async function describe(path: string) {
  try {
    const { size, mtimeMs } = await stat(path);
    return { path, size, mtimeMs };
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
