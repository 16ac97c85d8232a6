import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { paths } from '../../src/config/paths';
import { compileSource } from '../support/compiled-source';
import { waitFor } from '../support/wait-for';

jest.setTimeout(30_000);

const compiled = compileSource(['domain', 'workflows', 'config', 'client', 'cli']);
afterAll(() => compiled.remove());

let dir: string;
let children: ChildProcess[];
beforeEach(() => {
  children = [];
  dir = mkdtempSync(join(tmpdir(), 'harness-follow-'));
  mkdirSync(dirname(paths.serviceLog(dir, 'api')));
  writeFileSync(
    join(dir, 'harness.yaml'),
    'version: 1\nservices:\n  api: { command: [a] }\n  shop: { command: [b] }\n',
  );
});
afterEach(() => {
  for (const child of children.filter((one) => one.exitCode === null)) child.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

function write(service: string, second: number, line: string): void {
  const at = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
  const text = `${JSON.stringify({ at, stream: 'stdout', pid: 1, line })}\n`;
  appendFileSync(paths.serviceLog(dir, service), text);
}

function harness(...words: string[]) {
  const main = join(compiled.dir, 'cli', 'main.js');
  const flags = ['--config', join(dir, 'harness.yaml'), '--data-dir', dir];
  const child = spawn(process.execPath, [main, ...flags, ...words], {
    env: { PATH: '/usr/bin:/bin', HOME: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const heard = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (heard.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (heard.err += chunk.toString()));
  const until = (part: string) =>
    waitFor(part, () => {
      const all = `${heard.out}${heard.err}`;
      if (!all.includes(part)) throw new Error(`there is only ${all}`);
      return Promise.resolve(true);
    });
  return { child, heard, until };
}

const exitOf = (child: ChildProcess): Promise<number> =>
  waitFor('its exit', () => Promise.resolve(child.exitCode === null ? null : { code: child.exitCode })).then(
    ({ code }) => code,
  );

it('last lines of all services in the order of time, then new ones over a rotation; Ctrl-C ends it with 130', async () => {
  write('api', 1, 'one');
  write('shop', 2, 'two');
  write('api', 3, 'three');
  const { child, heard, until } = harness('logs', '-f', '-n', '2', '--json');
  await until('three');
  renameSync(paths.serviceLog(dir, 'api'), `${paths.serviceLog(dir, 'api')}.1`);
  write('api', 4, 'four');
  await until('four');
  write('shop', 5, 'five');
  await until('five');
  child.kill('SIGINT');
  expect(await exitOf(child)).toBe(130);
  const lines = heard.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(lines).toMatchObject([
    { service: 'shop', line: 'two' },
    { service: 'api', line: 'three' },
    { service: 'api', line: 'four' },
    { service: 'shop', line: 'five' },
  ]);
  expect(heard.err).toBe('');
});

it('a service without a log: says that it waits, shows the first line; SIGTERM ends it with 143', async () => {
  const { child, heard, until } = harness('logs', 'api', '--follow');
  await until('waiting for the first');
  write('api', 1, 'at last');
  await until('at last');
  expect(heard.out).toBe('2026-01-01T00:00:01.000Z api at last\n');
  child.kill('SIGTERM');
  expect(await exitOf(child)).toBe(143);
});

it('nobody reads on: it ends without a failure and without a word', async () => {
  write('api', 1, 'one');
  const { child, heard, until } = harness('logs', 'api', '-f');
  await until('one');
  child.stdout?.destroy();
  write('api', 2, 'two');
  expect(await exitOf(child)).toBe(0);
  expect(heard.err).toBe('');
});
