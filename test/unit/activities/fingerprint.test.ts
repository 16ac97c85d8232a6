import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFingerprint } from '../../../src/activities/fingerprint';
import { hasProcessChanged, haveFilesChanged, isCompletedBy } from '../../../src/domain/fingerprint';
import type { PortOwner } from '../../../src/domain/port-owner';
import { makeService, makeStatus, makeTempDirs } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();
const NEVER = new AbortController().signal;

it('tells what somebody would change to repair a service, and files apart from processes', async () => {
  const folder = makeTempDir();
  const file = join(folder, 'config.json');
  const ready = { url: 'http://127.0.0.1:8001/health', timeoutMs: 1_000 };
  let owner: PortOwner | null = null;
  const take = createFingerprint([makeService(folder, { ready })], () => () => () => owner);
  const now = async (status = makeStatus()) => (await take('limiter', [status], NEVER)) ?? '';

  writeFileSync(file, 'broken');
  const left = await now();
  expect(await now()).toBe(left);
  expect(await now(makeStatus({ ready: false, restarts: 3, state: 'starting' }))).toBe(left);

  writeFileSync(file, 'repaired');
  const repaired = await now();
  expect([haveFilesChanged(left, repaired), hasProcessChanged(left, repaired)]).toEqual([true, false]);
  rmSync(file);
  expect(haveFilesChanged(repaired, await now())).toBe(true);
  writeFileSync(file, 'broken');
  expect(await now()).toBe(left);

  const restarted = await now(makeStatus({ pid: 4_000_001 }));
  const ended = await now(makeStatus({ pid: null, startedAt: null }));
  owner = { port: 8_001, pid: 7, command: 'thief', user: 'root', startedAt: null, ours: false };
  const stolen = await now();
  expect(new Set([left, restarted, ended, stolen]).size).toBe(4);
  for (const other of [restarted, ended, stolen]) {
    expect([haveFilesChanged(left, other), hasProcessChanged(left, other)]).toEqual([false, true]);
  }
});

it('while the supervisor is away: of its files alone, as they are told with it', async () => {
  const folder = makeTempDir();
  writeFileSync(join(folder, 'config.json'), 'broken');
  const take = createFingerprint([makeService(folder)], () => () => () => null);
  const [left, seen] = [await take('limiter', null, NEVER), await take('limiter', [makeStatus()], NEVER)];
  expect(left).toMatch(/^[0-9a-f]{16}\.$/);
  expect(seen).toMatch(/^[0-9a-f]{16}\.[0-9a-f]{16}$/);
  expect(isCompletedBy(left, seen ?? '')).toBe(true);
  writeFileSync(join(folder, 'config.json'), 'repaired');
  const repaired = (await take('limiter', [makeStatus()], NEVER)) ?? '';
  expect(isCompletedBy(left, repaired)).toBe(false);
  expect([haveFilesChanged(left ?? '', repaired), hasProcessChanged(left ?? '', repaired)]).toEqual([
    true,
    false,
  ]);
});

it('nothing is told of a service that is not known', async () => {
  const take = createFingerprint([makeService(makeTempDir())], () => () => () => null);
  expect(await take('other', [makeStatus()], NEVER)).toBeNull();
  expect(await take('other', null, NEVER)).toBeNull();
  expect(await take('limiter', [], NEVER)).toBeNull();
});
