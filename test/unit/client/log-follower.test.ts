import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LogFollower } from '../../../src/client/log-follower';
import { paths } from '../../../src/config/paths';
import { LogWriter } from '../../../src/supervisor/log-writer';
import { makeTempDirs } from '../../support/tool-deps';
import { waitFor } from '../../support/wait-for';

const makeTempDir = makeTempDirs();
let dir: string;
let path: string;
let followers: { readonly log: LogFollower; readonly ended: Promise<void> }[];
let stop: AbortController;
let got: string[];
beforeEach(() => {
  dir = makeTempDir();
  path = paths.serviceLog(dir, 'svc');
  mkdirSync(dirname(path));
  followers = [];
  stop = new AbortController();
  got = [];
});
afterEach(async () => {
  stop.abort();
  for (const { log, ended } of followers) {
    await ended;
    await log.close();
  }
});

const stored = (text: string): string =>
  `${JSON.stringify({ at: '2026-01-01T00:00:00.000Z', stream: 'stdout', pid: 1, line: text })}\n`;
const write = (...texts: string[]): void => appendFileSync(path, texts.map(stored).join(''));
/** As the writer does it. */
function rotate(): void {
  if (existsSync(`${path}.1`)) renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
}
async function follow(): Promise<{ readonly log: LogFollower; readonly start: () => void }> {
  const log = await LogFollower.open(dir, 'svc');
  return {
    log,
    start() {
      const run = async (): Promise<void> => {
        for await (const { line } of log.follow(stop.signal)) got.push(line);
      };
      followers.push({ log, ended: run() });
    },
  };
}
const tailOf = async (log: LogFollower, limit = 99): Promise<string[]> =>
  (await log.tail(limit)).map(({ line }) => line);
const until = (...wanted: string[]): Promise<boolean> =>
  waitFor(`the lines ${wanted.join(', ')}`, () => Promise.resolve(got.length >= wanted.length)).then(() => {
    expect(got).toEqual(wanted);
    return true;
  });

it('the tail, then what comes: nothing in between is missed or told twice', async () => {
  write('a', 'b', 'c');
  const { log, start } = await follow();
  write('d');
  expect(await tailOf(log, 2)).toEqual(['b', 'c']);
  start();
  write('e');
  await until('d', 'e');
});

it('half a line at the start belongs to what comes', async () => {
  write('a');
  const text = stored('ü'.repeat(50_000));
  appendFileSync(path, text.slice(0, 40_000));
  const { log, start } = await follow();
  expect(await tailOf(log)).toEqual(['a']);
  start();
  appendFileSync(path, text.slice(40_000));
  await until('ü'.repeat(50_000));
});

it('no log yet: it begins with the first line', async () => {
  const { log, start } = await follow();
  expect(await tailOf(log)).toEqual([]);
  start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  write('first');
  await until('first');
});

it('rotated between opening and reading the tail: younger files are no tail', async () => {
  write('a');
  rotate();
  write('b');
  const { log, start } = await follow();
  rotate();
  write('c');
  expect(await tailOf(log)).toEqual(['a', 'b']);
  start();
  await until('c');
});

it('rotated twice between two looks: the file in the middle is read too', async () => {
  write('a');
  const { start } = await follow();
  start();
  write('b');
  rotate();
  write('c');
  rotate();
  write('d');
  await until('b', 'c', 'd');
});

it('rotated, and the new file is not there yet: it is waited for', async () => {
  write('a');
  const { log, start } = await follow();
  rotate();
  expect(await tailOf(log)).toEqual(['a']);
  start();
  write('b');
  await until('b');
});

it('rotated out altogether: it goes on with the oldest file there is', async () => {
  write('a');
  const { start } = await follow();
  for (const text of ['b', 'c', 'd']) {
    rotate();
    write(text);
  }
  start();
  await until('b', 'c', 'd');
});

it('removed by hand and written again: it goes on with the new file', async () => {
  write('a');
  const { start } = await follow();
  start();
  rmSync(path);
  write('b');
  await until('b');
});

it('foreign text is passed over', async () => {
  writeFileSync(path, '');
  const { start } = await follow();
  start();
  appendFileSync(path, 'not json\n\n{"at":1}\n');
  write('b');
  await until('b');
});

it('the real writer under load, with many rotations: every line once and in order', async () => {
  const { start } = await follow();
  start();
  // Slower than the looks: more than three files between two of them are gone for everybody.
  const writer = new LogWriter(path, { show: () => undefined, rotateBytes: 20_000 });
  const wanted = Array.from({ length: 1_200 }, (_, index) => `line ${index}`);
  for (const [index, text] of wanted.entries()) {
    writer.write('stdout', 1, text);
    if (index % 100 !== 99) continue;
    await writer.flush();
    await waitFor('read so far', () => Promise.resolve(got.length > index - 100));
  }
  await writer.close();
  await waitFor('all of them', () => Promise.resolve(got.length >= wanted.length));
  expect(got).toEqual(wanted);
  expect(existsSync(`${path}.2`)).toBe(true);
});
