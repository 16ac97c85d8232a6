import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { startGuardian } from '../../../src/supervisor/guardian';
import { eventually, isAlive } from './support';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const { pid } of started.splice(0)) {
    if (pid !== undefined && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
});

function sleeper(env: Record<string, string>): number {
  const child = spawn('/bin/sleep', ['100'], { detached: true, stdio: 'ignore', env });
  started.push(child);
  if (child.pid === undefined) throw new Error('not started');
  return child.pid;
}

test('at the end of its input it kills watched groups and marked processes, and nobody else', async () => {
  const runId = randomUUID();
  const guardian = startGuardian(runId);
  const group = sleeper({});
  const forgotten = sleeper({});
  const marked = sleeper({ HARNESS_RUN_ID: runId });
  const otherRun = sleeper({ HARNESS_RUN_ID: randomUUID() });
  for (const pid of [group, forgotten]) guardian.watch(pid);
  guardian.forget(forgotten);
  expect([group, forgotten, marked, otherRun].map(isAlive)).toEqual([true, true, true, true]);
  guardian.close();
  await eventually('the first two are gone', () => !isAlive(group) && !isAlive(marked));
  expect([forgotten, otherRun].map(isAlive)).toEqual([true, true]);
});

test('many groups, forgotten in any order: exactly the others are killed', async () => {
  const guardian = startGuardian(randomUUID());
  const pids = Array.from({ length: 8 }, () => sleeper({}));
  for (const pid of pids) guardian.watch(pid);
  const kept = pids.filter((_pid, index) => [0, 3, 7].includes(index));
  for (const pid of kept) guardian.forget(pid);
  guardian.forget(4_000_000);
  guardian.close();
  await eventually('the others are gone', () => pids.every((pid) => kept.includes(pid) || !isAlive(pid)));
  expect(kept.every(isAlive)).toBe(true);
});
