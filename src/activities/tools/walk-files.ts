import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Confinement } from './confined-path';
import { isBelow, isReadableReal } from './confined-path';

export interface WalkLimits {
  /** Entries looked at, readable or not. */
  readonly maxEntries: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface Walk {
  /** Real paths of readable regular files, sorted within each directory. */
  readonly files: AsyncIterable<string>;
  /** Why it ended early; null when everything was seen. Valid once `files` is used up. */
  readonly stoppedBy: () => 'entries' | 'time' | null;
}

const SKIPPED_DIRECTORIES = new Set(['node_modules', '.git']);

/** Walks the service's readable files (below `under`, when given), never through a symbolic link. */
export function walkFiles(confinement: Confinement, under: string | null, limits: WalkLimits): Walk {
  const deadline = performance.now() + limits.timeoutMs;
  let entries = 0;
  let stoppedBy: 'entries' | 'time' | null = null;
  const mayGoOn = (): boolean => {
    limits.signal.throwIfAborted();
    entries += 1;
    if (entries > limits.maxEntries) stoppedBy = 'entries';
    else if (performance.now() > deadline) stoppedBy = 'time';
    return stoppedBy === null;
  };

  async function* walk(directory: string): AsyncGenerator<string> {
    for (const entry of await readDirectory(directory)) {
      if (!mayGoOn()) return;
      const path = join(directory, entry.name);
      if (entry.isDirectory() && !SKIPPED_DIRECTORIES.has(entry.name) && isOnTheWay(path, under)) {
        yield* walk(path);
      } else if (entry.isFile() && isWanted(path, under) && isReadableReal(confinement, path)) {
        yield path;
      }
    }
  }

  async function* walkRoots(): AsyncGenerator<string> {
    const seen = new Set<string>();
    for (const root of outermost(confinement.roots.map(({ real }) => real))) {
      for await (const path of walk(root)) {
        if (seen.has(path)) continue;
        seen.add(path);
        yield path;
      }
    }
  }
  return { files: walkRoots(), stoppedBy: () => stoppedBy };
}

function isWanted(path: string, under: string | null): boolean {
  return under === null || path === under || isBelow(under, path);
}

/** Whether a directory is below `under`, or `under` below it. */
function isOnTheWay(directory: string, under: string | null): boolean {
  return isWanted(directory, under) || (under !== null && isBelow(directory, under));
}

/** Roots that lie in no other root; each once. */
function outermost(roots: readonly string[]): string[] {
  return [...new Set(roots)].filter((root) => !roots.some((other) => isBelow(other, root)));
}

/** A directory that cannot be read, or is gone by now, is empty. */
async function readDirectory(directory: string): Promise<Dirent[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
