import type { FileHandle } from 'node:fs/promises';
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from './error-code';
import type { StoredLine } from './log-reader';
import { LOG_FILES, linesBackwards, logFile, logPath, openForReading, parseLine } from './log-reader';

/** Four looks a second cost nothing, see every rotation, and work where file events do not come (network disks, containers). */
const POLL_MS = 250;
const BLOCK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

/** Reads the log of one service: its last lines, then what is written after them; nothing is missed or told twice. */
export class LogFollower {
  /** The beginning of a line whose end has not been read. */
  private rest: Buffer = Buffer.alloc(0);

  private constructor(
    private readonly path: string,
    /** Null until the service has a log. */
    private file: FileHandle | null,
    private position: number,
  ) {}

  /** Throws on a name that is no file name. */
  static async open(dataDir: string, service: string): Promise<LogFollower> {
    const path = logPath(dataDir, service);
    const file = await openForReading(path);
    return new LogFollower(path, file, file === null ? 0 : await endOfLastLine(file));
  }

  /** The last lines before the place where `follow` begins, oldest first. */
  async tail(limit: number): Promise<readonly StoredLine[]> {
    const found: StoredLine[] = [];
    const from = this.file === null ? undefined : { handle: this.file, end: this.position };
    for await (const line of linesBackwards(this.path, from)) {
      if (found.length >= limit) break;
      found.push(line);
    }
    return found.reverse();
  }

  /** Lines as they are stored, until the signal aborts. */
  async *follow(signal: AbortSignal): AsyncGenerator<StoredLine> {
    while (!signal.aborted) {
      yield* this.readOn();
      const next = await this.nextFile();
      if (next === null) {
        await delay(POLL_MS, undefined, { signal }).catch(() => undefined);
        continue;
      }
      // Lines may have come between the last look and the end of this file.
      yield* this.readOn();
      await this.close();
      this.file = next;
      this.position = 0;
      this.rest = Buffer.alloc(0);
    }
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = null;
  }

  private async *readOn(): AsyncGenerator<StoredLine> {
    const block = Buffer.alloc(BLOCK_BYTES);
    while (this.file !== null) {
      const { bytesRead } = await this.file.read(block, 0, BLOCK_BYTES, this.position);
      if (bytesRead === 0) return;
      this.position += bytesRead;
      const bytes = Buffer.concat([this.rest, block.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
        const line = parseLine(bytes.subarray(start, end));
        start = end + 1;
        if (line !== null) yield line;
      }
      this.rest = bytes.subarray(start);
    }
  }

  /** The file after the one being read, when the log has been rotated (more than once, perhaps); null while there is none. */
  private async nextFile(): Promise<FileHandle | null> {
    if (this.file === null) return openForReading(this.path);
    const { ino } = await this.file.stat();
    let next: string | null = null;
    for (let index = 0; index < LOG_FILES; index += 1) {
      const file = logFile(this.path, index);
      const found = await inodeOf(file);
      if (found === ino) return next === null ? null : openForReading(next);
      if (found !== null) next = file;
    }
    // Ours is rotated out, unless a renaming has hidden it from this look.
    const oldest = next === null ? null : await openForReading(next);
    if (oldest === null || (await oldest.stat()).ino !== ino) return oldest;
    await oldest.close();
    return null;
  }
}

async function inodeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Half a line may be there: the other half is on its way. */
async function endOfLastLine(file: FileHandle): Promise<number> {
  const block = Buffer.alloc(BLOCK_BYTES);
  let end = (await file.stat()).size;
  while (end > 0) {
    const start = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await file.read(block, 0, end - start, start);
    const newline = block.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline !== -1) return start + newline + 1;
    end = start;
  }
  return 0;
}
