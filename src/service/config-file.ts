import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, watch, writeFileSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { DEFAULT_CONFIG_TEXT, parseConfig } from './config';
import type { ServiceConfig } from './config';
import { StartError } from './start-error';

/** `fingerprint` is equal for two reads that found the same; of a valid file it is the sha256 of its bytes. */
export type ConfigRead =
  | { readonly kind: 'valid'; readonly fingerprint: string; readonly config: ServiceConfig }
  | { readonly kind: 'invalid'; readonly fingerprint: string; readonly problem: string }
  | { readonly kind: 'missing'; readonly fingerprint: 'missing' };
export type ValidConfig = Extract<ConfigRead, { kind: 'valid' }>;

const MAX_BYTES = 64 * 1024;
const POLL_MS = 500;
const SETTLE_MS = 100;

/** Reads the file once. Never throws: what cannot be read is `invalid` with the reason. */
export function readConfigFile(path: string): ConfigRead {
  try {
    const stats = statSync(path);
    // Opening a pipe or a device could block for ever.
    if (!stats.isFile()) return invalid('is not a regular file');
    if (stats.size > MAX_BYTES) return invalid(`is larger than ${MAX_BYTES} bytes`);
    const bytes = readFileSync(path);
    const hash = createHash('sha256').update(bytes).digest('hex');
    const parsed = parseConfig(bytes.toString('utf8'));
    if (!parsed.ok) return { kind: 'invalid', fingerprint: `invalid ${hash}`, problem: parsed.problem };
    return { kind: 'valid', fingerprint: hash, config: parsed.config };
  } catch (error) {
    const code = errorCode(error);
    return code === 'ENOENT'
      ? { kind: 'missing', fingerprint: 'missing' }
      : invalid(`cannot be read (${code})`);
  }
}

/** The config to start with; writes the defaults when there is no file. Throws StartError on an invalid or unwritable file. */
export function loadOrCreateConfig(path: string): ValidConfig {
  let read = readConfigFile(path);
  if (read.kind === 'missing') {
    writeDefaults(path);
    read = readConfigFile(path);
  }
  switch (read.kind) {
    case 'valid':
      return read;
    case 'invalid':
      throw new StartError(
        `The config file ${path} cannot be used: ${read.problem}. Correct it, or move it away: a start without one writes the defaults.`,
      );
    case 'missing':
      throw new StartError(`The config file ${path} vanished right after it was written. Start again.`);
  }
}

/**
 * Calls `onChange` when the file says something else than `inForce`, within about a second; also once when it
 * becomes invalid or missing. Directory events make it quick; the poll makes it certain (symlinks, network file
 * systems, a directory that was replaced).
 */
export function watchConfigFile(
  path: string,
  inForce: string,
  onChange: (read: ConfigRead) => void,
): { close(): void } {
  let reported = inForce;
  let suspect: string | null = null;
  let confirmation: NodeJS.Timeout | undefined;

  const look = (confirms: string | null = null): void => {
    const read = readConfigFile(path);
    // Writers are seen half-way: truncated, or moved away before the new file is there. Only what still stands a moment later is reported as bad.
    const isSettled = read.kind === 'valid' || [reported, confirms].includes(read.fingerprint);
    if (!isSettled && read.fingerprint === suspect) return;
    clearTimeout(confirmation);
    suspect = isSettled ? null : read.fingerprint;
    if (suspect !== null) {
      confirmation = setTimeout(look, SETTLE_MS, suspect);
    } else if (read.fingerprint !== reported) {
      reported = read.fingerprint;
      onChange(read);
    }
  };

  const poll = setInterval(look, POLL_MS);
  const watcher = watchDirectory(path, () => look());
  // A change between the first read and now raised no event.
  look();
  return {
    close() {
      watcher?.close();
      clearInterval(poll);
      clearTimeout(confirmation);
    },
  };
}

/** Watches the directory, not the file: a watch on a file follows the old inode when editors replace it by rename. */
function watchDirectory(path: string, onEvent: () => void): FSWatcher | null {
  try {
    const watcher = watch(dirname(path), (_event, name) => {
      if (name === null || name === basename(path)) onEvent();
    });
    // For example out of inotify watches, or the directory is gone: the poll carries on alone.
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return null;
  }
}

function writeDefaults(path: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(temporary, DEFAULT_CONFIG_TEXT, { flush: true });
    renameSync(temporary, path);
  } catch (error) {
    throw new StartError(
      `The default config file ${path} cannot be written (${errorCode(error)}). Make its directory writable or set RATE_LIMITER_CONFIG to another path.`,
      { cause: error },
    );
  }
}

function invalid(problem: string): ConfigRead {
  return { kind: 'invalid', fingerprint: `invalid ${problem}`, problem };
}

/** `ENOENT` and the like; the text of errors that have no code. */
export function errorCode(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error;
  return String(hasCode ? error.code : error);
}
