import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
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

/** Lines as they are stored, from now on, until the signal aborts; survives rotation. */
export async function* followLog(
  dataDir: string,
  service: string,
  signal: AbortSignal,
): AsyncGenerator<StoredLine> {
  const path = logPath(dataDir, service);
  let current = await openForReading(path);
  let position = current === null ? 0 : (await current.stat()).size;
  let rest: Buffer = Buffer.alloc(0);
  try {
    while (!signal.aborted) {
      const handle: FileHandle | null = current ?? (await openForReading(path));
      current = handle;
      if (handle !== null) {
        const block = Buffer.alloc(BLOCK_BYTES);
        const { bytesRead } = await handle.read(block, 0, BLOCK_BYTES, position);
        position += bytesRead;
        const { lines, tail } = cutLines(Buffer.concat([rest, block.subarray(0, bytesRead)]));
        rest = tail;
        yield* lines;
        if (bytesRead > 0) continue;
        if (await wasRotated(path, handle)) {
          await handle.close();
          current = null;
          position = 0;
          rest = Buffer.alloc(0);
          continue;
        }
      }
      await delay(100, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await current?.close();
  }
}

function logPath(dataDir: string, service: string): string {
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(service)) {
    throw new Error(`"${service}" cannot be the name of a log; use the name of a service.`);
  }
  return paths.serviceLog(dataDir, service);
}

function matches(line: StoredLine, { contains, stream }: LogTailOptions): boolean {
  if (stream !== undefined && line.stream !== stream) return false;
  return contains === undefined || line.line.toLowerCase().includes(contains.toLowerCase());
}

async function* linesBackwards(path: string): AsyncGenerator<StoredLine> {
  const seen = new Set<number>();
  for (let index = 0; index < LOG_FILES; index += 1) {
    const handle = await openForReading(index === 0 ? path : `${path}.${index}`);
    if (handle === null) continue;
    try {
      const { ino, size } = await handle.stat();
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

function cutLines(bytes: Buffer): { lines: StoredLine[]; tail: Buffer } {
  const lines: StoredLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    const line = parseLine(bytes.subarray(start, end));
    if (line !== null) lines.push(line);
    start = end + 1;
  }
  return { lines, tail: Buffer.from(bytes.subarray(start)) };
}

/** Null for what is no stored line: half a line left by a crash. */
function parseLine(bytes: Buffer): StoredLine | null {
  if (bytes.length === 0) return null;
  try {
    const parsed = storedLine.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

async function wasRotated(path: string, handle: FileHandle): Promise<boolean> {
  const latest = await openForReading(path);
  if (latest === null) return true;
  try {
    return (await latest.stat()).ino !== (await handle.stat()).ino;
  } finally {
    await latest.close();
  }
}

async function openForReading(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
