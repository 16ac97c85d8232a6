import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  checkDataDir,
  checkNode,
  checkPorts,
  checkServices,
  checkTemporal,
} from '../../../src/cli/doctor-checks';
import { loadConfig } from '../../../src/config/load-config';
import type { Environment } from '../../../src/config/environment';
import { noControl } from './run-words';

let cwd: string;
let server: Server | null = null;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'harness-doctor-'));
});
afterEach(async () => {
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = null;
  rmSync(cwd, { recursive: true, force: true });
});

function configOf(yaml: string, env: Environment = {}) {
  writeFileSync(join(cwd, 'harness.yaml'), `version: 1\n${yaml}`);
  return loadConfig({ cwd, env: { HARNESS_WEB_PORT: '0', HARNESS_TEMPORAL_PORT: '0', ...env } });
}

async function takenPort(): Promise<number> {
  const listening = createServer();
  server = listening;
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return (listening.address() as AddressInfo).port;
}

function program(name: string, text: string): string {
  mkdirSync(join(cwd, 'bin'), { recursive: true });
  const path = join(cwd, 'bin', name);
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

test.each([
  ['20.19.0', 'ok'],
  ['22.1.0', 'ok'],
  ['20.18.9', 'fail'],
  ['18.20.0', 'fail'],
])('Node %s: %s', (version, level) => {
  expect(checkNode(version).level).toBe(level);
});

describe('data directory', () => {
  test('there: writable; not there yet: will be created', async () => {
    expect(await checkDataDir(cwd)).toMatchObject({ level: 'ok', message: `${cwd} (writable)` });
    const deep = join(cwd, 'a/b');
    expect(await checkDataDir(deep)).toMatchObject({ level: 'ok', message: `${deep} (will be created)` });
  });

  test('below a file: fail with the way out', async () => {
    writeFileSync(join(cwd, 'file'), '');
    const found = await checkDataDir(join(cwd, 'file/data'));
    expect(found).toMatchObject({ level: 'fail', message: expect.stringContaining('--data-dir') as string });
  });
});

describe('ports', () => {
  test('a taken web port fails and names the variable', async () => {
    const port = await takenPort();
    const [web] = await checkPorts(configOf('', { HARNESS_WEB_PORT: String(port) }), noControl);
    expect(web).toMatchObject({
      name: 'web port',
      level: 'fail',
      message: expect.stringContaining('HARNESS_WEB_PORT') as string,
    });
  });

  test('a taken Temporal port is only a warning: another one will be used', async () => {
    const port = await takenPort();
    const found = await checkPorts(configOf('', { HARNESS_TEMPORAL_PORT: String(port) }), noControl);
    expect(found).toContainEqual(expect.objectContaining({ name: 'temporal port', level: 'warn' }));
  });

  test('a taken port of a service fails', async () => {
    const port = await takenPort();
    const config = configOf(
      `services: { a: { command: [node], ready: { url: "http://127.0.0.1:${port}/" } } }\n`,
    );
    const found = await checkPorts(config, noControl);
    expect(found).toContainEqual(expect.objectContaining({ name: 'a port', level: 'fail' }));
  });

  test('of the harness that runs for this very directory are well', async () => {
    const port = await takenPort();
    const control = { ...noControl, snapshot: () => Promise.resolve({ services: [], components: [] }) };
    const found = await checkPorts(configOf('', { HARNESS_WEB_PORT: String(port) }), control);
    expect(found).toEqual([
      { name: 'ports', level: 'ok', message: expect.stringContaining('a harness runs') as string },
    ]);
  });
});

describe('temporal', () => {
  const env = () => ({ PATH: join(cwd, 'bin'), XDG_CACHE_HOME: cwd });

  test('on PATH: ok with its version', async () => {
    const path = program('temporal', 'echo "temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)"');
    expect(await checkTemporal(configOf(''), env())).toEqual([
      { name: 'temporal', level: 'ok', message: `${path} 1.9.1` },
    ]);
  });

  test('a TEMPORAL_CLI_PATH that cannot be used fails', async () => {
    const [found] = await checkTemporal(configOf('', { TEMPORAL_CLI_PATH: '/no/such/temporal' }), env());
    expect(found).toMatchObject({
      level: 'fail',
      message: expect.stringContaining('/no/such/temporal') as string,
    });
  });

  test('a configured service that does not answer fails', async () => {
    const config = configOf('', { TEMPORAL_ADDRESS: '127.0.0.1:1' });
    const [found] = await checkTemporal(config, env());
    expect(found).toMatchObject({ level: 'fail', message: expect.stringContaining('127.0.0.1:1') as string });
  });
});

test('the program of each service is looked for', async () => {
  program('api', 'exit 0');
  const config = configOf(`services:
  found: { command: [api] }
  relative: { command: [bin/api] }
  missing: { command: [no-such-program] }
  nobody: {}
`);
  const found = await checkServices(config, { PATH: join(cwd, 'bin') });
  expect(found.map(({ name, level }) => [name, level])).toEqual([
    ['found', 'ok'],
    ['relative', 'ok'],
    ['missing', 'fail'],
    ['nobody', 'warn'],
  ]);
});
