import { existsSync, mkdirSync, openSync, closeSync, readSync, fstatSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LOG_FILES } from '../client/log-reader';
import type { LogStream, StoredLine } from '../client/log-reader';

const ROTATE_BYTES = 10 * 1024 * 1024;
const QUEUE_BYTES = 4 * 1024 * 1024;
const RECENT_LINES = 20;

export interface LogWriterOptions {
  /** Shows a line to the person watching; called at once, in order. */
  readonly show: (line: string) => void;
  readonly rotateBytes?: number;
  readonly queueBytes?: number;
}

/**
 * Stores the lines of one service as NDJSON with rotation. Memory is bounded: when the disk is slower than the service,
 * lines are dropped and counted, never the service delayed.
 */
export class LogWriter {
  private queue: string[] = [];
  private queuedBytes = 0;
  private dropped = 0;
  private recentLines: string[] = [];
  private writing: Promise<void> | null = null;
  private file: { handle: FileHandle; bytes: number } | null = null;
  private problem: string | null = null;

  constructor(
    private readonly path: string,
    private readonly options: LogWriterOptions,
  ) {}

  /** The last lines, oldest first, without the notes of the supervisor itself. */
  get recent(): readonly string[] {
    return this.recentLines;
  }

  /** A new process: its failure shall not show the lines of the one before. */
  clearRecent(): void {
    this.recentLines = [];
  }

  /** One line of the process. */
  write(stream: LogStream, pid: number | null, line: string): void {
    if (stream !== 'harness') {
      this.recentLines.push(line);
      if (this.recentLines.length > RECENT_LINES) this.recentLines.shift();
    }
    this.options.show(line);
    this.enqueue({ at: new Date().toISOString(), stream, pid, line });
  }

  /** A remark of the supervisor about the process: started, ended, dropped lines. */
  note(text: string, pid: number | null = null): void {
    this.write('harness', pid, text);
  }

  /** Everything written so far is in the file. */
  async flush(): Promise<void> {
    while (this.writing !== null) await this.writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.file?.handle.close();
    this.file = null;
  }

  private enqueue(entry: StoredLine): void {
    const text = `${JSON.stringify(entry)}\n`;
    if (this.queuedBytes + text.length > (this.options.queueBytes ?? QUEUE_BYTES)) {
      this.dropped += 1;
      return;
    }
    this.queue.push(text);
    this.queuedBytes += text.length;
    this.writeSoon();
  }

  private writeSoon(): void {
    this.writing ??= this.drain().finally(() => {
      this.writing = null;
      // A line may have come after the last look into the queue.
      if (this.queue.length > 0) this.writeSoon();
    });
  }

  private async drain(): Promise<void> {
    // Leaves the current turn first, so that a burst becomes one write.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const batch = Buffer.from(this.queue.join(''));
      this.queue = [];
      this.queuedBytes = 0;
      await this.append(batch);
      if (this.dropped > 0) {
        const text = `${this.dropped} lines dropped: the disk was slower than the process`;
        this.dropped = 0;
        this.note(text);
      }
    }
  }

  private async append(batch: Buffer): Promise<void> {
    try {
      this.file ??= await openLog(this.path);
      await this.file.handle.appendFile(batch);
      this.file.bytes += batch.length;
      if (this.file.bytes >= (this.options.rotateBytes ?? ROTATE_BYTES)) await this.rotate();
      this.problem = null;
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.problem) this.options.show(`cannot store logs: ${problem}`);
      this.problem = problem;
      this.file = null;
    }
  }

  private async rotate(): Promise<void> {
    await this.file?.handle.close();
    this.file = null;
    for (let index = LOG_FILES - 1; index > 0; index -= 1) {
      const from = index === 1 ? this.path : `${this.path}.${index - 1}`;
      if (existsSync(from)) await rename(from, `${this.path}.${index}`);
    }
  }
}

async function openLog(path: string): Promise<{ handle: FileHandle; bytes: number }> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const torn = endsTorn(path);
  const handle = await open(path, 'a', 0o600);
  if (torn) await handle.appendFile('\n');
  return { handle, bytes: (await handle.stat()).size };
}

/** A supervisor that was killed may have left half a line; the next line must not be glued to it. */
function endsTorn(path: string): boolean {
  if (!existsSync(path)) return false;
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  } finally {
    closeSync(descriptor);
  }
}
