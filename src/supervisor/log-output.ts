import { write } from 'node:fs';
import picocolors from 'picocolors';

/** Where the lines of all processes are shown. Called at once and in order; must not block. */
export interface LogOutput {
  show(name: string, line: string): void;
}

const COLORS = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const;
const WIDTH = 12;
const PINO_FIELDS = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'name', 'v']);
const QUEUE_BYTES = 1024 * 1024;

/** Lines prefixed with the padded name of their process; JSON log lines as `msg key=value`. */
export function prefixedOutput(writeText: (text: string) => void, { color }: { color: boolean }): LogOutput {
  const colors = picocolors.createColors(color);
  const prefixes = new Map<string, string>();
  return {
    show(name, line) {
      let prefix = prefixes.get(name);
      if (prefix === undefined) {
        const paint = colors[COLORS[prefixes.size % COLORS.length] ?? 'cyan'];
        prefix = paint(`[${name}]${' '.repeat(Math.max(0, WIDTH - name.length))}`);
        prefixes.set(name, prefix);
      }
      writeText(`${prefix} ${prettyLine(line)}\n`);
    },
  };
}

/** A JSON log line with `msg` as people read it; every other line as it is. */
export function prettyLine(line: string): string {
  if (!line.startsWith('{')) return line;
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (typeof entry !== 'object' || entry === null || !('msg' in entry) || typeof entry.msg !== 'string')
    return line;
  const level = 'level' in entry && typeof entry.level === 'number' ? levelWord(entry.level) : '';
  const rest = Object.entries(entry)
    .filter(([key]) => !PINO_FIELDS.has(key))
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' && !/[\s"=\p{Cc}]/u.test(value) ? value : JSON.stringify(value)}`,
    );
  // JSON escapes may decode to the controls that were kept out of the line itself.
  return `${level}${entry.msg}${rest.join('')}`.replace(/\p{Cc}/gu, ' ');
}

function levelWord(level: number): string {
  if (level >= 60) return 'FATAL ';
  if (level >= 50) return 'ERROR ';
  return level >= 40 ? 'WARN ' : '';
}

/**
 * Writes to a descriptor in order without ever blocking the event loop, which `process.stdout` does on a pipe or a
 * terminal whose reader has stopped. What does not fit into 1 MB is dropped and counted.
 */
export function descriptorWriter(descriptor: number): { write(text: string): void; flush(): Promise<void> } {
  let queue: string[] = [];
  let queuedBytes = 0;
  let dropped = 0;
  let busy = false;
  let waiting: (() => void)[] = [];

  const next = (bytes: Buffer): void => {
    write(descriptor, bytes, 0, bytes.length, null, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => next(bytes), 20);
      } else if (error === null && written < bytes.length) {
        next(bytes.subarray(written));
      } else {
        pump();
      }
    });
  };
  const pump = (): void => {
    if (dropped > 0) {
      queue.push(`… ${dropped} lines not shown: the reader of this output is too slow\n`);
      dropped = 0;
    }
    busy = queue.length > 0;
    if (!busy) {
      for (const resolve of waiting) resolve();
      waiting = [];
      return;
    }
    const bytes = Buffer.from(queue.join(''));
    queue = [];
    queuedBytes = 0;
    next(bytes);
  };

  return {
    write(text) {
      if (queuedBytes + text.length > QUEUE_BYTES) {
        dropped += 1;
        return;
      }
      queue.push(text);
      queuedBytes += text.length;
      if (!busy) pump();
    },
    flush: () => (busy ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
  };
}
