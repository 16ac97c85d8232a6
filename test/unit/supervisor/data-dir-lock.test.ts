import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lockDataDir } from '../../../src/supervisor/data-dir-lock';
import { processIdentity } from '../../../src/supervisor/process-identity';

let dataDir: string;
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'harness-lock-'))));
afterEach(() => rmSync(dataDir, { recursive: true }));
const lockFile = (): string => join(dataDir, 'run', 'lock-1-left.json');

function writeLock(content: string): void {
  mkdirSync(dirname(lockFile()), { recursive: true });
  writeFileSync(lockFile(), content);
}

it('held: the second is refused with the pid and the ways out; released: free again', async () => {
  const lock = await lockDataDir(dataDir);
  const refused = lockDataDir(dataDir);
  await expect(refused).rejects.toMatchObject({ name: 'DataDirInUse', pid: process.pid });
  await expect(refused).rejects.toThrow(/kill \d+.*HARNESS_DATA_DIR/);
  await lock.release();
  await (await lockDataDir(dataDir)).release();
  expect(readdirSync(join(dataDir, 'run'))).toEqual([]);
});

it.each([
  ['a process that has ended', () => JSON.stringify({ pid: 2 ** 30, identity: 'x' })],
  [
    'a pid that somebody else has now',
    () => JSON.stringify({ pid: process.pid, identity: 'an earlier start' }),
  ],
  ['damage', () => '{"pi'],
])('the lock of %s is replaced', async (_what, content) => {
  writeLock(content());
  const lock = await lockDataDir(dataDir);
  await expect(lockDataDir(dataDir)).rejects.toMatchObject({ name: 'DataDirInUse' });
  await lock.release();
});

it('many at once over a stale lock, again and again: exactly one gets it', async () => {
  for (let round = 0; round < 3; round += 1) {
    writeLock(JSON.stringify({ pid: 2 ** 30, identity: 'x' }));
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockDataDir(dataDir)));
    const locks = tries.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(locks).toHaveLength(1);
    expect(readdirSync(join(dataDir, 'run'))).toHaveLength(1);
    await locks[0]?.release();
  }
});

it('an identity belongs to one life of one process', async () => {
  const child = spawn('sleep', ['30']);
  await once(child, 'spawn');
  const identity = await processIdentity(child.pid ?? 0);
  expect(identity).not.toBeNull();
  expect(await processIdentity(child.pid ?? 0)).toBe(identity);
  expect(await processIdentity(process.pid)).not.toBe(identity);
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(await processIdentity(child.pid ?? 0)).toBeNull();
});
