import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import { paths } from '../config/paths';
import { errorCode } from './error-code';

const LOG_STREAMS = ['stdout', 'stderr', 'harness'] as const;
/** `harness`: a remark of the supervisor (started, ended, dropped lines). */
export type LogStream = (typeof LOG_STREAMS)[number];

/** How many files a service's log has, the current one included: `x.ndjson`, `x.ndjson.1`, … */
export const LOG_FILES = 3;

const storedLine = z.object({
  at: z.string(),
  stream: z.enum(LOG_STREAMS),
  pid: z.number().nullable(),
  line: z.string(),
});
/** One line of `logs/<service>.ndjson`; `at` RFC 3339 UTC. */
export type StoredLine = Readonly<z.infer<typeof storedLine>>;

export interface LogTailOptions {
  readonly limit: number;
  /** Substring, case ignored. */
  readonly contains?: string;
  /** Only lines at or after it; RFC 3339 UTC with milliseconds. */
  readonly sinceIso?: string;
  readonly stream?: LogStream;
}

export interface LogTail {
  /** Oldest first. */
  readonly lines: readonly StoredLine[];
  /** Older lines match too. */
  readonly truncated: boolean;
}

const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** The last matching lines of a service, read backwards over the rotated files. No log yet: no lines. Throws on a name that is no file name. */
export async function readLogTail(
  dataDir: string,
  service: string,
  options: LogTailOptions,
): Promise<LogTail> {
  const found: StoredLine[] = [];
  for await (const line of linesBackwards(logPath(dataDir, service))) {
    if (options.sinceIso !== undefined && line.at < options.sinceIso) break;
    if (!matches(line, options)) continue;
    if (found.length >= options.limit) return { lines: found.reverse(), truncated: true };
    found.push(line);
  }
  return { lines: found.reverse(), truncated: false };
}

/** The current file of a log, or one of the older ones. */
export function logFile(path: string, index: number): string {
  return index === 0 ? path : `${path}.${index}`;
}

/** Throws on a name that is no file name. */
export function logPath(dataDir: string, service: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(service)) {
    throw new Error(`"${service}" cannot be the name of a log; use the name of a service.`);
  }
  return paths.serviceLog(dataDir, service);
}

function matches(line: StoredLine, { contains, stream }: LogTailOptions): boolean {
  if (stream !== undefined && line.stream !== stream) return false;
  return contains === undefined || line.line.toLowerCase().includes(contains.toLowerCase());
}

/** All stored lines, the last one first; with `from` only those before a place in one of the files. */
export async function* linesBackwards(
  path: string,
  from?: { readonly handle: FileHandle; readonly end: number },
): AsyncGenerator<StoredLine> {
  const seen = new Set<number>();
  let newest: number | null = null;
  if (from !== undefined) {
    newest = (await from.handle.stat()).ino;
    yield* fileBackwards(from.handle, from.end);
  }
  for (let index = 0; index < LOG_FILES; index += 1) {
    const handle = await openForReading(logFile(path, index));
    if (handle === null) continue;
    try {
      const { ino, size } = await handle.stat();
      if (newest !== null) {
        // Younger files come first; ours has been read.
        if (ino === newest) newest = null;
        continue;
      }
      // Rotated while we read: the file we have just read now has the next name.
      if (seen.has(ino)) continue;
      seen.add(ino);
      yield* fileBackwards(handle, size);
    } finally {
      await handle.close();
    }
  }
}

async function* fileBackwards(handle: FileHandle, size: number): AsyncGenerator<StoredLine> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let end = size;
  // Pieces of the line whose start has not been read yet, in file order.
  let pieces: Buffer[] = [];
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await handle.read(block, 0, end - start, start);
    let bytes = block.subarray(0, bytesRead);
    for (let cut = bytes.lastIndexOf(NEWLINE); cut !== -1; cut = bytes.lastIndexOf(NEWLINE)) {
      const line = parseLine(Buffer.concat([bytes.subarray(cut + 1), ...pieces]));
      pieces = [];
      if (line !== null) yield line;
      bytes = bytes.subarray(0, cut);
    }
    pieces = [Buffer.from(bytes), ...pieces];
    end = start;
  }
  const first = parseLine(Buffer.concat(pieces));
  if (first !== null) yield first;
}

/** Null for what is no stored line: half a line left by a crash. */
export function parseLine(bytes: Buffer): StoredLine | null {
  if (bytes.length === 0) return null;
  try {
    const parsed = storedLine.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** Null when there is no such file. */
export async function openForReading(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
