import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import pino from 'pino';
import type { HarnessConfig } from '../../../src/config/config';
import { paths } from '../../../src/config/paths';
import { ensureToken } from '../../../src/web/token';
import { listen, runWebProcess } from '../../../src/web/web-process';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-web-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

it('a port that is taken: said with the way out', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  await expect(listen(express(), { host: '127.0.0.1', port })).rejects.toMatchObject({
    name: 'WebListenError',
    message: `cannot listen on 127.0.0.1:${port}: another program has this port. Stop it, or choose another one with HARNESS_WEB_PORT or web.port.`,
  });
  await new Promise((resolve) => other.close(resolve));
});

it('an address of another machine: said with the way out', async () => {
  await expect(listen(express(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(
    /no such address. Correct web.host/,
  );
});

it('alone, with no Temporal to be found: TemporalUnreachable, and never ready', async () => {
  const config = {
    dataDir,
    web: { host: '127.0.0.1', port: 0 },
    temporal: { address: null, namespace: 'default' },
  };
  const host = {
    signal: new AbortController().signal,
    log: pino({ level: 'silent' }),
    ready: () => {
      throw new Error('it said that it is ready');
    },
  };
  await expect(runWebProcess(config as HarnessConfig, host)).rejects.toMatchObject({
    name: 'TemporalUnreachable',
  });
});

describe('the token', () => {
  it('configured: taken as it is, nothing is written', async () => {
    expect(await ensureToken(dataDir, 'given')).toBe('given');
    await expect(stat(paths.token(dataDir))).rejects.toThrow();
  });

  it('none yet: made once, for the owner only, the same for two that start together', async () => {
    const [one, two] = await Promise.all([ensureToken(dataDir, undefined), ensureToken(dataDir, undefined)]);
    expect(one).toMatch(/^[\w-]{43}$/);
    expect(two).toBe(one);
    expect((await stat(paths.token(dataDir))).mode & 0o777).toBe(0o600);
    expect(await ensureToken(dataDir, undefined)).toBe(one);
  });

  it('an empty file: refused, because an empty token would be none', async () => {
    await mkdir(paths.run(dataDir));
    await writeFile(paths.token(dataDir), '\n');
    await expect(ensureToken(dataDir, undefined)).rejects.toThrow(/is empty; delete it/);
  });

  it('there already: kept', async () => {
    await ensureToken(dataDir, undefined);
    await writeFile(paths.token(dataDir), 'of the run\n');
    expect(await ensureToken(dataDir, undefined)).toBe('of the run');
  });
});
