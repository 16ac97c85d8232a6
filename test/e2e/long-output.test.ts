import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { paths } from '../../src/config/paths';
import { exitOf, HarnessWorkspace } from '../support/harness-process';

jest.setTimeout(30_000);

/** Some megabytes: many times what a pipe holds. */
const LINES = 20_000;
const LOGS = ['logs', 'rate_limiter', '--json', '-n', String(LINES)];

let workspace: HarnessWorkspace;

beforeAll(async () => {
  workspace = await HarnessWorkspace.create();
  const file = paths.serviceLog(workspace.dataDir, 'rate_limiter');
  mkdirSync(dirname(file), { recursive: true });
  const line = { at: '2026-01-01T00:00:00.000Z', stream: 'stdout', pid: 1, line: 'x'.repeat(100) };
  writeFileSync(file, `${JSON.stringify(line)}\n`.repeat(LINES));
});
afterAll(async () => {
  await workspace.dispose();
});

it('a long answer into a pipe arrives whole', async () => {
  const { code, stdout } = await workspace.cli(...LOGS);
  expect(code).toBe(0);
  expect(stdout.split('\n').length - 1).toBe(LINES);
});

it('a reader that has seen enough is no failure: it ends well and says nothing', async () => {
  const child = await workspace.start(...LOGS);
  const talk: Buffer[] = [];
  child.stderr?.on('data', (chunk: Buffer) => talk.push(chunk));
  if (child.stdout) await once(child.stdout, 'data');
  child.stdout?.destroy();
  expect(await exitOf(child)).toBe(0);
  expect(Buffer.concat(talk).toString()).toBe('');
});
