import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { paths } from '../config/paths';
import type { FileChange, Snapshot } from '../domain/known-good';
import { findChanges, parseSnapshot } from '../domain/known-good';
import type { EditableFile } from './editable-files';
import { writeDurably } from './write-durably';

const KEPT = 10;
const NAME = /^(\d{8})\.json$/;

/** The newest readable snapshot that was taken under these patterns; null when there is none. */
export async function readLastGood(
  dataDir: string,
  service: string,
  patterns: readonly string[],
): Promise<Snapshot | null> {
  const folder = paths.knownGood(dataDir, service);
  for (const number of (await listNumbers(folder)).reverse()) {
    const snapshot = await readSnapshot(join(folder, fileName(number)));
    // Taken under other patterns, it does not know of every file.
    if (snapshot && JSON.stringify(snapshot.patterns) === JSON.stringify(patterns)) return snapshot;
  }
  return null;
}

/** Keeps a snapshot and forgets all but the last ten. Throws when it cannot be written. */
export async function keepSnapshot(dataDir: string, service: string, snapshot: Snapshot): Promise<void> {
  const folder = paths.knownGood(dataDir, service);
  const numbers = await listNumbers(folder);
  const number = (numbers.at(-1) ?? 0) + 1;
  await writeDurably(join(folder, fileName(number)), `${JSON.stringify(snapshot)}\n`);
  const old = [...numbers, number].slice(0, -KEPT);
  await Promise.all(old.map((one) => rm(join(folder, fileName(one)), { force: true })));
}

export function toSnapshot(
  at: string,
  patterns: readonly string[],
  files: readonly EditableFile[],
): Snapshot {
  return {
    version: 1,
    at,
    patterns: [...patterns],
    files: files
      .filter(({ isSkipped }) => !isSkipped)
      .map(({ path, sha256, bytes, mode }) => ({
        path,
        sha256,
        content: bytes?.toString('utf8') ?? null,
        mode,
      })),
    skipped: files.filter(({ isSkipped }) => isSkipped).map(({ path }) => path),
  };
}

/** What changed since the last good snapshot; nothing when there is none or the files are too many to watch. */
export function changesSince(
  good: Snapshot | null,
  files: readonly EditableFile[] | null,
): readonly FileChange[] {
  return good && files ? findChanges(good, files) : [];
}

async function readSnapshot(path: string): Promise<Snapshot | null> {
  try {
    return parseSnapshot(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

async function listNumbers(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Numbered, not dated: a clock that is set back must not make an old snapshot the newest. */
function fileName(number: number): string {
  return `${String(number).padStart(8, '0')}.json`;
}
