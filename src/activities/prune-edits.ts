import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { editJournalPath, readEditJournal, readJournalPart } from '../client/edit-journal-reader';
import { errorCode } from '../client/error-code';
import { closedSegments, closeSegmentAt } from '../client/segments';
import { paths } from '../config/paths';
import type { EditRetention } from '../domain/edit-retention';
import { ticketsToKeep } from '../domain/edit-retention';

const SEGMENT_BYTES = 128 * 1024;
/** A file younger than this may be in the hands of an edit under way, in this process or another. */
const UNTOUCHED_MS = 3_600_000;
const COPY = /^[0-9a-f]{64}$/;
/** What a crash left of a copy that was being written. */
const HALF_WRITTEN = /^[0-9a-f]{64}\.[0-9a-f]{12}$/;
const GONE = '.gone';

/** Forgets edits that nobody can want back, and copies that no kept edit names. Throws when something cannot be removed. */
export async function pruneEdits(dataDir: string, retention: EditRetention): Promise<void> {
  for (const service of await listFolder(paths.edits(dataDir, ''))) {
    await pruneSegments(dataDir, service, retention);
    await closeSegmentAt(editJournalPath(dataDir, service), SEGMENT_BYTES);
    await pruneCopies(dataDir, service, retention.nowMs);
  }
}

async function pruneSegments(dataDir: string, service: string, retention: EditRetention): Promise<void> {
  const kept = ticketsToKeep(await readEditJournal(dataDir, service), retention);
  for (const segment of await closedSegments(editJournalPath(dataDir, service))) {
    // The time of its new name counts: who opened it before that may be about to write.
    if (retention.nowMs - (await stat(segment)).ctimeMs < UNTOUCHED_MS) continue;
    const entries = await readJournalPart(segment);
    if (entries.every(({ ticket }) => !kept.has(ticket))) await rm(segment, { force: true });
  }
}

async function pruneCopies(dataDir: string, service: string, nowMs: number): Promise<void> {
  const folder = paths.edits(dataDir, service);
  const names = await listFolder(folder);
  for (const name of names.filter((one) => one.endsWith(GONE))) {
    // A crash came between: it is judged again next time.
    await rename(join(folder, name), join(folder, name.slice(0, -GONE.length)));
  }
  const entries = await readEditJournal(dataDir, service);
  const named = new Set(entries.flatMap(({ before, after }) => [before.sha256, after.sha256]));
  for (const name of names) {
    const path = join(folder, name);
    if (COPY.test(name) && !named.has(name)) await removeCopy(path, nowMs);
    if (HALF_WRITTEN.test(name) && (await isUntouched(path, nowMs))) await rm(path, { force: true });
  }
}

/** Takes the copy away and then looks: an edit that found it there has touched it, and from now on no other finds it. */
async function removeCopy(path: string, nowMs: number): Promise<void> {
  if (!(await isUntouched(path, nowMs))) return;
  await rename(path, `${path}${GONE}`);
  if (await isUntouched(`${path}${GONE}`, nowMs)) await rm(`${path}${GONE}`, { force: true });
  else await rename(`${path}${GONE}`, path);
}

async function isUntouched(path: string, nowMs: number): Promise<boolean> {
  return nowMs - (await stat(path)).mtimeMs >= UNTOUCHED_MS;
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
