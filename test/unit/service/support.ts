import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';

import { createLog } from '../../../src/service/log';

/** Calls whatever was registered, last first: each test ends with nothing running and no files left. */
export function createCleanup(): { add(undo: () => unknown): void; run(): Promise<void> } {
  const undos: (() => unknown)[] = [];
  return {
    add: (undo) => undos.push(undo),
    async run() {
      for (let undo = undos.pop(); undo; undo = undos.pop()) await undo();
    },
  };
}

export function createDirectory(cleanup: { add(undo: () => unknown): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'rate-limiter-'));
  cleanup.add(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes as most editors do. */
export function replaceFile(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export interface CapturedLog {
  readonly log: Logger;
  readonly lines: readonly LogLine[];
  text(): string;
  /** The first line of this event after those already returned; rejects after 4 s. */
  next(event: string): Promise<LogLine>;
}

export function captureLog(): CapturedLog {
  const lines: LogLine[] = [];
  let read = 0;
  let notify = (): void => {};
  const log = createLog({
    write(line) {
      lines.push(JSON.parse(line) as LogLine);
      notify();
    },
  });
  const take = (event: string): LogLine | undefined => {
    const index = lines.findIndex((line, position) => position >= read && line.event === event);
    if (index !== -1) read = index + 1;
    return lines[index];
  };
  return {
    log,
    lines,
    text: () => JSON.stringify(lines),
    next: (event) =>
      new Promise((resolve, reject) => {
        const limit = setTimeout(() => {
          reject(new Error(`no log line "${event}" in 4 s, only ${JSON.stringify(lines)}`));
        }, 4_000);
        notify = () => {
          const line = take(event);
          if (!line) return;
          clearTimeout(limit);
          notify = () => {};
          resolve(line);
        };
        notify();
      }),
  };
}
