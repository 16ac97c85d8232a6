import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../client/error-code';
import { paths } from '../config/paths';
import { processIdentity } from './process-identity';

export interface DataDirLock {
  release(): Promise<void>;
}

/** Another live harness runs on this data directory. Exit code 1. */
export class DataDirInUse extends Error {
  override readonly name = 'DataDirInUse';
  constructor(
    readonly pid: number,
    dataDir: string,
  ) {
    super(
      `another harness (pid ${String(pid)}) runs on ${dataDir}. Stop it with Ctrl-C or "kill ${String(pid)}", ` +
        'or give this one a directory and ports of its own (HARNESS_DATA_DIR, HARNESS_WEB_PORT, HARNESS_TEMPORAL_PORT).',
    );
  }
}

const holder = z.object({ pid: z.int().positive(), identity: z.string() });

/**
 * Takes the data directory for this process. A lock whose process has ended is replaced.
 * Throws DataDirInUse when a live process holds it.
 */
export async function lockDataDir(dataDir: string): Promise<DataDirLock> {
  await mkdir(paths.run(dataDir), { recursive: true, mode: 0o700 });
  const path = join(paths.run(dataDir), 'lock.json');
  const own = `${path}.${randomBytes(6).toString('hex')}`;
  const content = JSON.stringify({
    pid: process.pid,
    identity: (await processIdentity(process.pid)) ?? '',
  });
  await writeFile(own, content, { mode: 0o600 });
  try {
    // A hard link appears whole and only if nobody was first; a few rounds suffice for any number of stale locks.
    for (let round = 0; round < 20; round += 1) {
      if (await tryLink(own, path)) return { release: () => releaseLock(path, content) };
      await removeIfStale(path, dataDir);
    }
  } finally {
    await rm(own, { force: true });
  }
  throw new Error(`${path} cannot be taken: it keeps coming back. Delete it if no harness runs.`);
}

async function tryLink(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeIfStale(path: string, dataDir: string): Promise<void> {
  const judged = await readFile(path, 'utf8').catch(() => null);
  if (judged === null) return;
  const pid = await liveHolder(judged);
  if (pid !== null) throw new DataDirInUse(pid, dataDir);
  // Moved aside first: between reading and removing, another starter may have put a lock of its own there.
  const aside = `${path}.stale-${randomBytes(6).toString('hex')}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readFile(aside, 'utf8').catch(() => null);
  if (moved !== null && moved !== judged) await tryLink(aside, path);
  await rm(aside, { force: true });
}

async function liveHolder(text: string): Promise<number | null> {
  let parsed: z.infer<typeof holder>;
  try {
    parsed = holder.parse(JSON.parse(text));
  } catch {
    // Locks appear whole; anything else is damage.
    return null;
  }
  return (await processIdentity(parsed.pid)) === parsed.identity ? parsed.pid : null;
}

async function releaseLock(path: string, content: string): Promise<void> {
  if ((await readFile(path, 'utf8').catch(() => null)) === content) await rm(path, { force: true });
}
