import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient } from '../../src/client/control-client';
import { paths } from '../../src/config/paths';
import { compileSource } from '../support/compiled-source';
import { waitFor } from '../support/wait-for';

/** Cannot be asked to end, and its child cannot be reached through its group; each writes its pid into a file of its name. */
const STUBBORN = (dir: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
trap '' TERM HUP INT
setsid sh -c 'echo $$ > ${dir}/grandchild; while :; do sleep 1; done' &
echo $$ > ${dir}/command
while :; do sleep 1; done
`;

jest.setTimeout(60_000);

const compiled = compileSource(['domain', 'workflows', 'config', 'client', 'supervisor', 'activities']);
afterAll(() => compiled.remove());

let dataDir: string;
let hosts: ChildProcess[];
let commands: number[];
beforeEach(() => {
  hosts = [];
  commands = [];
  dataDir = mkdtempSync(join(tmpdir(), 'harness-commands-'));
  mkdirSync(join(dataDir, 'bin'));
  writeFileSync(join(dataDir, 'bin', 'stubborn'), STUBBORN(dataDir));
  chmodSync(join(dataDir, 'bin', 'stubborn'), 0o755);
});
afterEach(async () => {
  for (const host of hosts) {
    if (host.exitCode === null && host.signalCode === null) host.kill('SIGKILL');
  }
  // What a failed test found alive; of a passed one nothing is.
  for (const pid of commands.filter(isAlive)) process.kill(pid, 'SIGKILL');
  await waitFor('everything of this test has ended', () => Promise.resolve(guardians().length === 0));
  rmSync(dataDir, { recursive: true, force: true });
});

/** A supervisor whose agent runs the command; resolves with the number of leftovers it found. */
async function startHost(): Promise<{ host: ChildProcess; leftovers: number }> {
  for (const name of ['command', 'grandchild']) rmSync(join(dataDir, name), { force: true });
  const job = { source: compiled.dir, directory: join(dataDir, 'bin'), argv: ['stubborn'] };
  const component = {
    name: 'agent',
    command: [process.execPath, join(__dirname, '../support/command-host.js'), JSON.stringify(job)],
    cwd: dataDir,
    env: { PATH: '/usr/bin:/bin' },
    ready: { kind: 'running' },
    readyTimeoutMs: 5_000,
    stopTimeoutMs: 1_000,
  };
  const options = { source: compiled.dir, dataDir, services: [], component };
  const script = join(__dirname, '../support/supervisor-host.js');
  const host = spawn(process.execPath, [script, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  hosts.push(host);
  let output = '';
  host.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ready = await waitFor('the supervisor is ready', () => Promise.resolve(/ready (\d+)/.exec(output)));
  return { host, leftovers: Number(ready[1]) };
}

/** Both alive: the positive control of every test here. */
async function running(): Promise<number[]> {
  const both = await waitFor('command and grandchild run', () => {
    const pids = ['command', 'grandchild'].map((name) => Number(readText(join(dataDir, name)) || 0));
    return Promise.resolve(pids.every((pid) => pid > 0 && isAlive(pid)) && pids);
  });
  commands.push(...both);
  return both;
}

const untilDead = (pids: readonly number[]): Promise<boolean> =>
  waitFor('both are gone', () => Promise.resolve(!pids.some(isAlive)), { limitMs: 5_000 });
const exited = (host: ChildProcess): Promise<boolean> =>
  waitFor('the supervisor has ended', () =>
    Promise.resolve(host.exitCode !== null || host.signalCode !== null),
  );
const snapshot = () => createControlClient(paths.controlSocket(dataDir)).snapshot();
const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(readText(`/proc/${pid}/status`));

function guardians(): number[] {
  const runId = readText(join(dataDir, 'run', 'run-id')).trim();
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && runId !== '')
    .map(Number)
    .filter((pid) => isAlive(pid) && readText(`/proc/${pid}/cmdline`).includes(runId));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe('a running command that ignores SIGTERM, and its child in another session', () => {
  it('the agent alone is killed: both are ended by the supervisor, which lives on', async () => {
    await startHost();
    const pids = await running();
    const [agent] = (await snapshot()).components;
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    await untilDead(pids);
    expect((await snapshot()).components[0]).toMatchObject({ state: 'exited', exit: { signal: 'SIGKILL' } });
  });

  it('the supervisor is killed: the guardian ends both', async () => {
    const { host } = await startHost();
    const pids = await running();
    host.kill('SIGKILL');
    await untilDead(pids);
  });

  it('the supervisor stops in order: both are gone when it has ended', async () => {
    const { host } = await startHost();
    const pids = await running();
    host.kill('SIGTERM');
    await exited(host);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('everything that could end them is killed too: the next start ends both', async () => {
    const { host } = await startHost();
    const pids = await running();
    for (const pid of guardians()) process.kill(pid, 'SIGKILL');
    const [agent] = (await snapshot()).components;
    host.kill('SIGKILL');
    await exited(host);
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    expect(pids.map(isAlive)).toEqual([true, true]);
    const { leftovers } = await startHost();
    expect(pids.filter(isAlive)).toEqual([]);
    expect(leftovers).toBeGreaterThanOrEqual(2);
    await running();
  });
});
