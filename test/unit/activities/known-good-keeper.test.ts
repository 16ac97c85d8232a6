import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { createKnownGoodKeeper } from '../../../src/activities/known-good-keeper';
import { parseSnapshot } from '../../../src/domain/known-good';
import type { ServiceStatus } from '../../../src/domain/service-state';
import { check, failed } from '../../support/invariants';
import { makeService, makeStatus, makeTempDirs } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();
const sha = (text: string) => createHash('sha256').update(text).digest('hex');
const iso = (ms: number) => new Date(ms).toISOString();

/** A service whose process, acknowledgement and checks the test decides; its files are real. */
function setUp(edit = ['config.json']) {
  const root = makeTempDir();
  const cwd = join(root, 'app');
  const dataDir = join(root, 'data');
  mkdirSync(cwd);
  const config = join(cwd, 'config.json');
  writeFileSync(config, 'good\n');
  const warnings: string[] = [];
  const world = {
    status: null as ServiceStatus | null,
    said: null as string | null,
    isHealthy: true,
    /** The process (re)starts now and is healthy for the next minute. */
    start: () => {
      const startedAt = Date.now() + 50;
      world.status = makeStatus({ pid: 100 + startedAt, startedAt: iso(startedAt) });
    },
  };
  const keep = createKnownGoodKeeper({
    services: [
      makeService(cwd, {
        files: { read: [], edit: edit.map((path) => join(cwd, path)) },
        ready: { url: 'http://127.0.0.1:1/health', timeoutMs: 1_000 },
      }),
    ],
    dataDir,
    control: {
      snapshot: () => Promise.resolve({ services: world.status ? [world.status] : [], components: [] }),
    },
    checksOf: () =>
      Promise.resolve([
        [1, 6, 12].map((seconds) =>
          (world.isHealthy ? check : failed)('i', { at: iso(Date.now() + 3_600_000 + seconds * 1_000) }),
        ),
      ]),
    readConfigHash: () => Promise.resolve(world.said),
    now: () => new Date(),
    log: { info: () => undefined, warn: (message) => warnings.push(message) },
  });
  const folder = join(dataDir, 'known-good', 'limiter');
  const kept = () => {
    try {
      return readdirSync(folder)
        .sort()
        .map((name) => parseSnapshot(JSON.parse(readFileSync(join(folder, name), 'utf8'))));
    } catch {
      return [];
    }
  };
  const contents = () => kept().map((snapshot) => snapshot?.files.map(({ content }) => content));
  return { cwd, config, folder, world, warnings, contents, look: () => keep(new AbortController().signal) };
}

it('in force since the start and healthy: kept once, private', async () => {
  const { world, contents, folder, look } = setUp();
  world.start();
  await look();
  await look();
  expect(contents()).toEqual([['good\n']]);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(statSync(join(folder, '00000001.json')).mode & 0o777).toBe(0o600);
});

it('broken while the old process runs and stays healthy: never kept, also with its time set back', async () => {
  const { config, world, contents, look } = setUp();
  world.start();
  await look();
  await new Promise((resolve) => setTimeout(resolve, 100));
  writeFileSync(config, 'broken\n');
  utimesSync(config, 0, 0);
  world.said = sha('good\n');
  await look();
  expect(contents()).toEqual([['good\n']]);
  // Positive control: the same, acknowledged.
  world.said = sha('broken\n');
  await look();
  expect(contents()).toEqual([['good\n'], ['broken\n']]);
});

it.each([
  ['not healthy', (world: { isHealthy: boolean }) => (world.isHealthy = false)],
  ['not running', (world: { status: ServiceStatus | null }) => (world.status = null)],
])('%s: not kept', async (_what, change) => {
  const { world, contents, look } = setUp();
  world.start();
  change(world);
  await look();
  expect(contents()).toEqual([]);
});

it('a removed file is good only for a process that started without it', async () => {
  const { config, world, contents, look } = setUp();
  world.start();
  await look();
  await new Promise((resolve) => setTimeout(resolve, 100));
  rmSync(config);
  await look();
  expect(contents()).toEqual([['good\n']]);
  world.start();
  await look();
  expect(contents()).toEqual([['good\n'], [null]]);
});

it('of a pattern too, though it lists no missing files', async () => {
  const { cwd, world, contents, look } = setUp(['*.json']);
  writeFileSync(join(cwd, 'b.json'), 'b\n');
  world.start();
  await look();
  await new Promise((resolve) => setTimeout(resolve, 100));
  rmSync(join(cwd, 'b.json'));
  await look();
  expect(contents()).toEqual([['b\n', 'good\n']]);
  world.start();
  await look();
  expect(
    contents()
      .at(-1)
      ?.filter((content) => content !== null),
  ).toEqual(['good\n']);
});

it('keeps the last ten', async () => {
  const { config, world, contents, look } = setUp();
  for (let version = 1; version <= 12; version += 1) {
    writeFileSync(config, `${version}\n`);
    world.start();
    await look();
  }
  expect(contents()).toEqual(Array.from({ length: 10 }, (_, index) => [`${index + 3}\n`]));
});

it('binary and large files are not kept, the others are', async () => {
  const { cwd, world, contents, look } = setUp(['*.json']);
  writeFileSync(join(cwd, 'binary.json'), Buffer.from([0xff, 0xfe, 0]));
  writeFileSync(join(cwd, 'large.json'), 'x'.repeat(256 * 1024 + 1));
  world.start();
  await look();
  expect(contents()).toEqual([['good\n']]);
});

it('what keeps it from its work is said once', async () => {
  const { cwd, world, warnings, look } = setUp(['*.json']);
  for (let index = 0; index < 201; index += 1) writeFileSync(join(cwd, `${index}.json`), '');
  world.start();
  await look();
  await look();
  expect(warnings).toEqual([expect.stringContaining('too many files')]);
});
