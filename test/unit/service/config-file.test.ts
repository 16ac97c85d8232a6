import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

import { loadOrCreateConfig, readConfigFile, watchConfigFile } from '../../../src/service/config-file';
import type { ConfigRead } from '../../../src/service/config-file';
import { StartError } from '../../../src/service/start-error';
import { createCleanup, createDirectory, replaceFile } from './support';

const cleanup = createCleanup();
afterEach(() => cleanup.run());

const DELAY_1 = '{"delay_ms": 1}';
const DELAY_2 = '{"delay_ms": 2}';

describe('loadOrCreateConfig', () => {
  it('no file: writes the defaults in new directories and leaves no temporary file', () => {
    const path = join(createDirectory(cleanup), 'a/b/config.json');
    const loaded = loadOrCreateConfig(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      enabled: true,
      delay_ms: 0,
      capacity: 100,
      refill_per_second: 50,
    });
    expect(loaded.config).toEqual({ enabled: true, delayMs: 0, capacity: 100, refillPerSecond: 50 });
    expect(readdirSync(join(path, '..'))).toEqual(['config.json']);
  });

  it('a file: is taken as it is, the fingerprint is the sha256 of its bytes', () => {
    const path = join(createDirectory(cleanup), 'config.json');
    writeFileSync(path, DELAY_1);
    const loaded = loadOrCreateConfig(path);
    expect(loaded.config.delayMs).toBe(1);
    expect(loaded.fingerprint).toBe(createHash('sha256').update(DELAY_1).digest('hex'));
    expect(readFileSync(path, 'utf8')).toBe(DELAY_1);
  });

  it('an invalid file: StartError with path, problem and way out, the file is untouched', () => {
    const path = join(createDirectory(cleanup), 'config.json');
    writeFileSync(path, '{"capacity": 0}');
    expect(() => loadOrCreateConfig(path)).toThrow(StartError);
    expect(() => loadOrCreateConfig(path)).toThrow(
      `The config file ${path} cannot be used: capacity must be a whole number from 1 to 1000000, not 0. Correct it`,
    );
    expect(readFileSync(path, 'utf8')).toBe('{"capacity": 0}');
  });

  it('a directory that cannot be made: StartError that names path, reason and variable', () => {
    const directory = createDirectory(cleanup);
    symlinkSync(join(directory, 'nowhere'), join(directory, 'link'));
    const path = join(directory, 'link', 'config.json');
    expect(() => loadOrCreateConfig(path)).toThrow(
      /link\/config\.json cannot be written \(E[A-Z]+\)\. .*RATE_LIMITER_CONFIG/,
    );
  });

  it.each([
    ['a directory', (path: string) => mkdirSync(path), /not a regular file/],
    ['a huge file', (path: string) => writeFileSync(path, ' '.repeat(70_000)), /larger than 65536 bytes/],
  ])('%s at the path: StartError', (_name, make, expected) => {
    const path = join(createDirectory(cleanup), 'config.json');
    make(path);
    expect(() => loadOrCreateConfig(path)).toThrow(expected);
  });
});

describe('watchConfigFile', () => {
  function watched(setUp?: (path: string) => void) {
    const path = join(createDirectory(cleanup), 'config.json');
    if (setUp) setUp(path);
    else writeFileSync(path, DELAY_1);
    const reads: ConfigRead[] = [];
    let notify = (): void => {};
    const watcher = watchConfigFile(path, readConfigFile(path).fingerprint, (read) => {
      reads.push(read);
      notify();
    });
    cleanup.add(() => watcher.close());
    const until = (count: number): Promise<ConfigRead | undefined> =>
      new Promise((resolve) => {
        notify = () => {
          if (reads.length >= count) resolve(reads.at(-1));
        };
        notify();
      });
    return { path, reads, until };
  }

  it('rewritten in place: reported', async () => {
    const { path, until } = watched();
    writeFileSync(path, DELAY_2);
    expect(await until(1)).toMatchObject({ kind: 'valid', config: { delayMs: 2 } });
  });

  it('replaced by rename, twice: both reported', async () => {
    const { path, until } = watched();
    replaceFile(path, DELAY_2);
    expect(await until(1)).toMatchObject({ config: { delayMs: 2 } });
    replaceFile(path, DELAY_1);
    expect(await until(2)).toMatchObject({ config: { delayMs: 1 } });
  });

  it('changed where no directory event is raised (target of a link): reported by the poll', async () => {
    const target = join(createDirectory(cleanup), 'target.json');
    writeFileSync(target, DELAY_1);
    const { until } = watched((path) => symlinkSync(target, path));
    writeFileSync(target, DELAY_2);
    expect(await until(1)).toMatchObject({ config: { delayMs: 2 } });
  });

  it('directory removed and made again: missing, then the new config', async () => {
    const { path, until } = watched((file) => {
      mkdirSync(join(file, '..'), { recursive: true });
      writeFileSync(file, DELAY_1);
    });
    rmSync(join(path, '..'), { recursive: true });
    expect(await until(1)).toMatchObject({ kind: 'missing' });
    mkdirSync(join(path, '..'));
    writeFileSync(path, DELAY_2);
    expect(await until(2)).toMatchObject({ config: { delayMs: 2 } });
  });

  it('invalid: reported once with the problem; the old bytes again: reported as valid', async () => {
    const { path, reads, until } = watched();
    writeFileSync(path, '{"delay_ms": "slow"}');
    expect(await until(1)).toMatchObject({
      kind: 'invalid',
      problem: expect.stringContaining('delay_ms') as string,
    });
    writeFileSync(path, DELAY_1);
    expect(await until(2)).toMatchObject({ kind: 'valid', config: { delayMs: 1 } });
    expect(reads).toHaveLength(2);
  });

  it('seen half-written, then moved away and back: neither is reported, only the final config', async () => {
    const { path, reads, until } = watched();
    writeFileSync(path, '');
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(path, DELAY_2);
    await until(1);
    unlinkSync(path);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writeFileSync(path, DELAY_1);
    await until(2);
    expect(reads.map((read) => read.kind)).toEqual(['valid', 'valid']);
  });

  it('changed between the first read and the watch: reported at once', () => {
    const path = join(createDirectory(cleanup), 'config.json');
    writeFileSync(path, DELAY_2);
    const onChange = jest.fn();
    const watcher = watchConfigFile(path, 'fingerprint of older bytes', onChange);
    cleanup.add(() => watcher.close());
    expect(onChange).toHaveBeenCalledWith(
      expect.objectContaining({ config: expect.objectContaining({ delayMs: 2 }) as object }),
    );
  });
});
