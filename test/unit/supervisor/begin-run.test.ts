import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { paths } from '../../../src/config/paths';
import { beginRun } from '../../../src/supervisor/begin-run';
import { startControlServer } from '../../../src/supervisor/control-server';
import { isAlive } from './support';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'harness-begin-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('each run has an identity of its own, and the directory remembers the last', async () => {
  const first = await beginRun(dir);
  const second = await beginRun(dir);
  expect(first).toMatchObject({ leftoversKilled: 0 });
  expect(second.runId).not.toBe(first.runId);
  expect(readFileSync(join(paths.run(dir), 'run-id'), 'utf8')).toBe(`${second.runId}\n`);
});

test('what a crashed run left is gone when the next begins; others live', async () => {
  const { runId } = await beginRun(dir);
  const leftover = spawn('/bin/sleep', ['100'], {
    detached: true,
    stdio: 'ignore',
    env: { HARNESS_RUN_ID: runId },
  });
  const other = spawn('/bin/sleep', ['100'], {
    detached: true,
    stdio: 'ignore',
    env: { HARNESS_RUN_ID: `${runId}x` },
  });
  try {
    expect((await beginRun(dir)).leftoversKilled).toBe(1);
    expect(isAlive(leftover.pid ?? 0)).toBe(false);
    expect(isAlive(other.pid ?? 0)).toBe(true);
  } finally {
    other.kill('SIGKILL');
  }
});

test.each(['', 'x', 'HARNESS', '0'.repeat(36) + '\n=extra'])(
  'a damaged identity file (%j) kills nobody',
  async (text) => {
    mkdirSync(paths.run(dir), { recursive: true });
    writeFileSync(join(paths.run(dir), 'run-id'), text);
    const bystander = spawn('/bin/sleep', ['100'], {
      detached: true,
      stdio: 'ignore',
      env: { HARNESS_RUN_ID: text.trim() },
    });
    try {
      expect((await beginRun(dir)).leftoversKilled).toBe(0);
      expect(isAlive(bystander.pid ?? 0)).toBe(true);
    } finally {
      bystander.kill('SIGKILL');
    }
  },
);

test('a supervisor that answers on the control socket: refused, its run stays', async () => {
  const { runId } = await beginRun(dir);
  const server = await startControlServer(paths.controlSocket(dir), {
    current: () => ({ services: [], components: [] }),
    act: () => Promise.reject(new Error('not here')),
    onEvent: () => () => undefined,
  });
  try {
    await expect(beginRun(dir)).rejects.toMatchObject({
      name: 'AlreadyRunning',
      message: expect.stringContaining(dir) as unknown,
    });
    expect(readFileSync(join(paths.run(dir), 'run-id'), 'utf8').trim()).toBe(runId);
  } finally {
    await server.close();
  }
});
