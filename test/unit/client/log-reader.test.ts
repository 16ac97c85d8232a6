import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readLogTail } from '../../../src/client/log-reader';
import type { LogTailOptions, StoredLine } from '../../../src/client/log-reader';
import { paths } from '../../../src/config/paths';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'harness-reader-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const at = (index: number): string => new Date(Date.UTC(2026, 0, 1) + index).toISOString();
const line = (index: number, overrides: Partial<StoredLine> = {}): StoredLine => ({
  at: at(index),
  stream: index % 2 === 0 ? 'stdout' : 'stderr',
  pid: 1,
  line: `line ${index}`,
  ...overrides,
});

/** Oldest file first. */
function store(...files: readonly (readonly StoredLine[])[]): void {
  const path = paths.serviceLog(dir, 'svc');
  mkdirSync(dirname(path), { recursive: true });
  files.toReversed().forEach((lines, index) => {
    const text = lines.map((entry) => `${JSON.stringify(entry)}\n`).join('');
    writeFileSync(index === 0 ? path : `${path}.${index}`, text);
  });
}

const numbers = (lines: readonly StoredLine[]): number[] => lines.map((entry) => Number(entry.line.slice(5)));
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('readLogTail', () => {
  test('a service without a log: no lines', async () => {
    expect(await readLogTail(dir, 'svc', { limit: 10 })).toEqual({ lines: [], truncated: false });
  });

  const table: readonly [string, LogTailOptions, number[], boolean][] = [
    ['fewer than there are: the last ones, oldest first', { limit: 3 }, [27, 28, 29], true],
    ['over the border of rotated files', { limit: 15 }, range(15, 30), true],
    ['all of them: not truncated', { limit: 30 }, range(0, 30), false],
    ['more than there are', { limit: 99 }, range(0, 30), false],
    ['one stream only', { limit: 2, stream: 'stderr' }, [27, 29], true],
    ['text, case ignored', { limit: 9, contains: 'LINE 2' }, [2, ...range(20, 30)].slice(-9), true],
    ['text that is nowhere', { limit: 9, contains: 'absent' }, [], false],
    ['from a time on', { limit: 9, sinceIso: at(26) }, [26, 27, 28, 29], false],
    ['from a time on, limited', { limit: 2, sinceIso: at(26) }, [28, 29], true],
  ];
  test.each(table)('%s', async (_name, options, expected, truncated) => {
    store(
      range(0, 10).map((i) => line(i)),
      range(10, 20).map((i) => line(i)),
      range(20, 30).map((i) => line(i)),
    );
    const tail = await readLogTail(dir, 'svc', options);
    expect(numbers(tail.lines)).toEqual(expected);
    expect(tail.truncated).toBe(truncated);
  });

  test('lines longer than a read block, and characters on its border, come back whole', async () => {
    const long = line(0, { line: 'ü漢'.repeat(60_000) });
    store([line(1), long, line(2)]);
    const { lines } = await readLogTail(dir, 'svc', { limit: 3 });
    expect(lines).toEqual([line(1), long, line(2)]);
  });

  test('half a line and foreign text are passed over', async () => {
    store([line(0)]);
    const path = paths.serviceLog(dir, 'svc');
    writeFileSync(
      path,
      `${JSON.stringify(line(1))}\nnot json\n{"at":1}\n\n${JSON.stringify(line(2))}\n{"at":"20`,
    );
    expect(numbers((await readLogTail(dir, 'svc', { limit: 9 })).lines)).toEqual([1, 2]);
  });

  test.each(['../svc', 'a/b', '', '..', '.hidden', 'a\u0000b'])('the name %j is refused', async (name) => {
    await expect(readLogTail(dir, name, { limit: 1 })).rejects.toThrow('cannot be the name of a log');
  });
});
