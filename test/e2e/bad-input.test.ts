import { mkdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';

jest.setTimeout(60_000);

let workspace: HarnessWorkspace;

afterEach(async () => {
  expect(workspace.processes()).toEqual([]);
  await workspace.dispose();
});

const service = (config: Json): Json => config['services'].rate_limiter as Json;
const invariant = (config: Json): Json => config['invariants'][0] as Json;

it.each<[string, (config: Json) => void, RegExp]>([
  ['an unknown key', (config) => (service(config)['comand'] = 'x'), /harness\.yaml:\d+:\d+:.*comand/],
  [
    'a bad condition',
    (config) => (invariant(config)['condition'] = 'status =='),
    /harness\.yaml:\d+:\d+:.*status ==/s,
  ],
  [
    'two invariants with one ID',
    (config) => (config['invariants'] as Json[]).push({ ...invariant(config) }),
    /harness\.yaml:\d+:\d+:.*rate_limiter_healthy/,
  ],
  [
    'an unknown service',
    (config) => (invariant(config)['service'] = 'nobody'),
    /harness\.yaml:\d+:\d+:.*nobody/,
  ],
  [
    'a bad duration',
    (config) => (invariant(config)['timeout'] = '2 parsecs'),
    /harness\.yaml:\d+:\d+:.*2 parsecs/,
  ],
  [
    'a variable of the environment that is not set',
    (config) => (service(config)['env'].SECRET = '${env:NOT_SET_ANYWHERE}'),
    /rate_limiter.*SECRET.*NOT_SET_ANYWHERE/s,
  ],
  [
    'a data directory below a file',
    (config) => (config['data_dir'] = '/dev/null/data'),
    /\/dev\/null\/data.*HARNESS_DATA_DIR/s,
  ],
  [
    'a service whose executable is missing',
    (config) => (service(config)['command'] = ['/nonexistent/rate-limiter']),
    /rate_limiter.*\/nonexistent\/rate-limiter/s,
  ],
])('%s: exit 78, the place and the value named, nothing left running', async (_name, change, message) => {
  workspace = await HarnessWorkspace.create(change);
  const { code, stderr } = await workspace.cli('run');
  expect(stderr).toMatch(message);
  expect(code).toBe(78);
});

it('the web port is in use: exit 1 before anything starts, port and way out named', async () => {
  workspace = await HarnessWorkspace.create();
  const occupant = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => occupant.listen(port, '127.0.0.1', resolve));
  workspace.env['HARNESS_WEB_PORT'] = String(port);
  const { code, stderr, stdout } = await workspace.cli('run');
  occupant.close();
  expect(stderr).toContain(String(port));
  expect(stderr).toContain('HARNESS_WEB_PORT');
  expect(stdout + stderr).not.toContain('[rate_limiter]');
  expect(code).toBe(1);
});

it('the configured Temporal is unreachable: exit 69, address named', async () => {
  workspace = await HarnessWorkspace.create();
  const address = `127.0.0.1:${await freePort()}`;
  workspace.env['TEMPORAL_ADDRESS'] = address;
  const { code, stderr } = await workspace.cli('run');
  expect(stderr).toContain(address);
  expect(code).toBe(69);
});

it.each(['monitor', 'agent', 'web'])(
  '%s alone, no harness running: exit 69 with the command to type',
  async (name) => {
    workspace = await HarnessWorkspace.create();
    const { code, stderr } = await workspace.cli(name);
    expect(stderr).toContain('harness run');
    expect(code).toBe(69);
  },
);

it('no Temporal CLI, no python: says what it tried and what to install, exit 69', async () => {
  workspace = await HarnessWorkspace.create();
  const bin = join(workspace.dir, 'bin');
  mkdirSync(bin);
  symlinkSync(process.execPath, join(bin, 'node'));
  Object.assign(workspace.env, {
    PATH: bin,
    TEMPORAL_CLI_PATH: undefined,
    XDG_CACHE_HOME: join(workspace.dir, 'cache'),
  });
  const { code, stderr } = await workspace.cli('run');
  expect(stderr).toMatch(/python3/);
  expect(stderr).toMatch(/TEMPORAL_CLI_PATH/);
  expect(code).toBe(69);
});

it.each(['tickets', 'status', 'invariants', 'check rate_limiter_healthy'])(
  'harness %s without a harness: exit 69 and how to start one',
  async (command) => {
    workspace = await HarnessWorkspace.create();
    const { code, stderr } = await workspace.cli(...command.split(' '));
    expect(stderr).toContain('harness run');
    expect(code).toBe(69);
  },
);

it.each([
  ['no such command', ['fly']],
  ['no such flag', ['tickets', '--colour']],
])('%s: usage, exit 2', async (_name, args) => {
  workspace = await HarnessWorkspace.create();
  expect((await workspace.cli(...args)).code).toBe(2);
});
