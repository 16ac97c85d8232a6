import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readLogTail } from '../../../src/client/log-reader';
import { paths } from '../../../src/config/paths';
import { LogWriter } from '../../../src/supervisor/log-writer';

let dir: string;
let file: string;
let shown: string[];
const show = (line: string): number => shown.push(line);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'harness-logs-'));
  file = paths.serviceLog(dir, 'svc');
  shown = [];
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function storedLines(path = file): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => (JSON.parse(text) as { line: string }).line);
}

test('lines are shown at once and stored as NDJSON for their owner only', async () => {
  const log = new LogWriter(file, { show });
  log.write('stdout', 7, 'one "quoted"');
  log.write('stderr', 7, 'two');
  expect(shown).toEqual(['one "quoted"', 'two']);
  await log.close();
  const entries = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((text): unknown => JSON.parse(text));
  expect(entries).toEqual([
    {
      at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/) as unknown,
      stream: 'stdout',
      pid: 7,
      line: 'one "quoted"',
    },
    { at: expect.any(String) as unknown, stream: 'stderr', pid: 7, line: 'two' },
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
});

test('three files at most: the oldest lines go, the newest stay', async () => {
  const log = new LogWriter(file, { show, rotateBytes: 2_000 });
  for (let index = 0; index < 200; index += 1) {
    log.write('stdout', 1, `line ${index}`);
    await log.flush();
  }
  await log.close();
  expect(existsSync(`${file}.1`)).toBe(true);
  expect(existsSync(`${file}.2`)).toBe(true);
  expect(existsSync(`${file}.3`)).toBe(false);
  const kept = (await readLogTail(dir, 'svc', { limit: 1_000 })).lines.map(({ line }) => line);
  expect(kept.length).toBeGreaterThan(40);
  expect(kept.length).toBeLessThan(120);
  expect(kept).toEqual(
    Array.from({ length: kept.length }, (_, index) => `line ${200 - kept.length + index}`),
  );
});

test('a new writer goes on where the last one was, also behind half a line left by a crash', async () => {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, '');
  appendFileSync(
    file,
    '{"at":"2026-01-01T00:00:00.000Z","stream":"stdout","pid":1,"line":"whole"}\n{"at":"2026',
  );
  const log = new LogWriter(file, { show });
  log.write('stdout', 2, 'after the crash');
  await log.close();
  const { lines } = await readLogTail(dir, 'svc', { limit: 10 });
  expect(lines.map(({ line }) => line)).toEqual(['whole', 'after the crash']);
});

test('more than the queue holds is dropped and counted, the newest come again afterwards', async () => {
  const log = new LogWriter(file, { show, queueBytes: 10_000 });
  for (let index = 0; index < 1_000; index += 1) log.write('stdout', 1, `line ${index}`);
  await log.flush();
  log.write('stdout', 1, 'later');
  await log.close();
  const stored = storedLines();
  const dropped = Number(/^(\d+) lines dropped/.exec(stored.at(-2) ?? '')?.[1]);
  expect(stored).toHaveLength(1_000 - dropped + 2);
  expect(stored[0]).toBe('line 0');
  expect(stored.at(-1)).toBe('later');
});

test('50,000 lines in one second: nothing lost at the default size when the disk keeps up', async () => {
  const log = new LogWriter(file, { show: () => undefined });
  for (let burst = 0; burst < 50; burst += 1) {
    for (let index = 0; index < 1_000; index += 1) log.write('stdout', 1, `burst ${burst} line ${index}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await log.close();
  expect(storedLines()).toHaveLength(50_000);
});

test('a directory that cannot be written is said once, and lines are still shown', async () => {
  writeFileSync(join(dir, 'logs'), 'a file where the directory should be');
  const log = new LogWriter(file, { show });
  for (const line of ['one', 'two']) {
    log.write('stdout', 1, line);
    await log.flush();
  }
  await log.close();
  expect(shown.filter((line) => line.startsWith('cannot store logs'))).toHaveLength(1);
  expect(shown).toEqual(expect.arrayContaining(['one', 'two']));
});

test('the last 20 lines of the process are at hand, notes of the supervisor are not among them', () => {
  const log = new LogWriter(file, { show });
  for (let index = 0; index < 25; index += 1) log.write('stdout', 1, `line ${index}`);
  log.note('a note');
  expect(log.recent).toHaveLength(20);
  expect(log.recent[0]).toBe('line 5');
  expect(log.recent.at(-1)).toBe('line 24');
  log.clearRecent();
  expect(log.recent).toEqual([]);
  return log.close();
});
