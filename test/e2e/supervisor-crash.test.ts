import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient, followControl } from '../../src/client/control-client';
import { readLogTail } from '../../src/client/log-reader';
import type { ServiceConfig } from '../../src/config/config';
import { paths } from '../../src/config/paths';
import { compileSource } from '../support/compiled-source';
import { waitFor } from '../support/wait-for';

/** Kinds of descendants a service may have; each writes its pid into a file of its name. */
const FAMILY = [
  "sh -c 'echo $$ > child; exec sleep 300' &",
  "setsid sh -c 'echo $$ > session; exec sleep 300' &",
  "(setsid sh -c 'echo $$ > daemon; exec sleep 300' > /dev/null 2>&1 &) &",
  'echo $$ > main; exec sleep 300',
].join('\n');
const MEMBERS = ['main', 'child', 'session', 'daemon', 'part'];

const compiled = compileSource(['domain', 'workflows', 'config', 'client', 'supervisor']);
afterAll(() => compiled.remove());

let dataDir: string;
const hosts: ChildProcess[] = [];
beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'harness-crash-'))));
afterEach(async () => {
  for (const host of hosts.splice(0)) {
    if (host.exitCode === null && host.signalCode === null) host.kill('SIGKILL');
  }
  await waitFor('everything of this test has ended', () => Promise.resolve(ownProcesses().length === 0));
  rmSync(dataDir, { recursive: true, force: true });
});

function service(script: string): ServiceConfig {
  return {
    name: 'svc',
    description: '',
    command: ['/bin/sh', '-c', script],
    cwd: dataDir,
    env: {},
    ready: { url: null, timeoutMs: 5_000 },
    stopTimeoutMs: 3_000,
    restartLimit: { relapses: 5, withinMs: 600_000 },
    metricsUrl: null,
    files: { read: [], edit: [] },
    dependsOn: [],
  };
}

/** Starts a supervisor process; resolves with the number of leftovers it found. */
async function startHost(script = FAMILY): Promise<{ host: ChildProcess; leftovers: number }> {
  const component = {
    name: 'part',
    command: ['/bin/sh', '-c', 'echo $$ > part; exec sleep 300'],
    cwd: dataDir,
    env: { PATH: '/usr/bin:/bin' },
    ready: { kind: 'running' },
    readyTimeoutMs: 5_000,
    stopTimeoutMs: 3_000,
  };
  const options = { source: compiled.dir, dataDir, services: [service(script)], component };
  const host = spawn(
    process.execPath,
    [join(__dirname, '../support/supervisor-host.js'), JSON.stringify(options)],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  hosts.push(host);
  let output = '';
  for (const stream of [host.stdout, host.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ready = await waitFor('the supervisor is ready', () => {
    if (host.exitCode !== null) throw new Error(output);
    return Promise.resolve(/ready (\d+)/.exec(output));
  });
  return { host, leftovers: Number(ready[1]) };
}

async function family(): Promise<number[]> {
  return waitFor('the whole family runs', () => {
    const pids = MEMBERS.map((name) => Number(readText(join(dataDir, name)) || 0));
    return Promise.resolve(pids.every((pid) => pid > 0 && isAlive(pid)) && pids);
  });
}

const exited = (host: ChildProcess): Promise<unknown> =>
  host.exitCode !== null || host.signalCode !== null
    ? Promise.resolve()
    : new Promise((resolve) => host.once('exit', resolve));
const untilDead = (pids: readonly number[]): Promise<boolean> =>
  waitFor('all of them are dead', () => Promise.resolve(!pids.some(isAlive)), { limitMs: 5_000 });
const guardians = (): number[] => {
  const runId = readText(join(dataDir, 'run', 'run-id')).trim();
  return pidsWhere((pid) => runId !== '' && readText(`/proc/${pid}/cmdline`).includes(runId));
};

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(readText(`/proc/${pid}/status`));
const pidsWhere = (matches: (pid: number) => boolean): number[] =>
  readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) && isAlive(Number(name)) && matches(Number(name)) ? [Number(name)] : [],
  );
/** Guardian, and everything whose home is the directory of this test. */
const ownProcesses = (): number[] => [
  ...guardians(),
  ...pidsWhere((pid) => readText(`/proc/${pid}/environ`).includes(`HOME=${dataDir}\0`)),
];

describe('nothing outlives the supervisor', () => {
  test.each([
    ['SIGKILL', 'SIGKILL'],
    ['an uncaught exception', 'SIGUSR2'],
  ] as const)(
    '%s: service, children, sessions, daemons, components and the guardian end',
    async (_name, signal) => {
      const { host } = await startHost();
      const pids = await family();
      expect(guardians()).toHaveLength(1);
      host.kill(signal);
      await untilDead(pids);
      await waitFor('the guardian has ended', () => Promise.resolve(guardians().length === 0));
    },
  );

  test('the guardian cannot be talked out of it by signals of the terminal', async () => {
    const { host } = await startHost();
    const pids = await family();
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      for (const guardian of guardians()) process.kill(guardian, signal);
    }
    host.kill('SIGKILL');
    await untilDead(pids);
  });

  test('a guardian that was killed is replaced and knows everything', async () => {
    const { host } = await startHost();
    const pids = await family();
    const [first = 0] = guardians();
    process.kill(first, 'SIGKILL');
    await waitFor('another guardian', () => Promise.resolve(guardians().some((pid) => pid !== first)));
    host.kill('SIGKILL');
    await untilDead(pids);
  });

  test('guardian and supervisor killed: the next run ends what is left before it starts anything', async () => {
    const { host } = await startHost();
    const pids = await family();
    for (const guardian of guardians()) process.kill(guardian, 'SIGKILL');
    host.kill('SIGKILL');
    await exited(host);
    expect(pids.every(isAlive)).toBe(true);
    const next = await startHost();
    expect(next.leftovers).toBe(pids.length);
    expect(pids.some(isAlive)).toBe(false);
    next.host.kill('SIGTERM');
    await exited(next.host);
  });

  test('a normal stop: exit code 0, all ended, no socket, no guardian', async () => {
    const { host } = await startHost();
    const pids = await family();
    host.kill('SIGTERM');
    await exited(host);
    expect(host.exitCode).toBe(0);
    expect(pids.some(isAlive)).toBe(false);
    expect(existsSync(paths.controlSocket(dataDir))).toBe(false);
    await waitFor('the guardian has ended', () => Promise.resolve(guardians().length === 0));
  });
});

test('a reader of events sees the supervisor go and the next one come', async () => {
  const { host } = await startHost();
  const done = new AbortController();
  const told: string[] = [];
  const following = followControl(
    paths.controlSocket(dataDir),
    {
      onSnapshot: ({ services }) => told.push(`snapshot ${services[0]?.state}`),
      onEvent: ({ kind, asked }) => told.push(`${kind} ${asked}`),
      onDown: () => told.push('down'),
    },
    done.signal,
  );
  const has = (what: string) => waitFor(what, () => Promise.resolve(told.includes(what)));
  await has('snapshot running');
  const [main = 0] = await family();
  process.kill(main, 'SIGKILL');
  await has('exited false');
  host.kill('SIGKILL');
  await has('down');
  told.length = 0;
  const next = await startHost();
  await waitFor('the new supervisor', () => Promise.resolve(told.length > 0));
  expect(told[0]).toMatch(/^snapshot /);
  done.abort();
  await following;
  next.host.kill('SIGTERM');
  await exited(next.host);
});

test('a service that floods its output delays nobody and fills neither memory nor disk', async () => {
  const { host } = await startHost(
    'echo $$ > main; exec yes "a line as services write them, of an ordinary length"',
  );
  const control = createControlClient(paths.controlSocket(dataDir));
  const slowest = { ms: 0 };
  for (const end = Date.now() + 4_000; Date.now() < end;) {
    const asked = Date.now();
    await control.snapshot();
    slowest.ms = Math.max(slowest.ms, Date.now() - asked);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const rssMb = Number(/^VmRSS:\s+(\d+)/m.exec(readText(`/proc/${host.pid}/status`))?.[1]) / 1024;
  expect(slowest.ms).toBeLessThan(1_000);
  expect(rssMb).toBeLessThan(300);
  const files = readdirSync(join(dataDir, 'logs')).map((name) => statSync(join(dataDir, 'logs', name)).size);
  expect(files.reduce((sum, size) => sum + size, 0)).toBeLessThan(60 * 1024 * 1024);
  const stopped = await control.act({ service: 'svc', action: 'stop', by: 'person' });
  expect(stopped.outcome).toBe('performed');
  const { lines } = await readLogTail(dataDir, 'svc', { limit: 5, stream: 'stdout' });
  expect(lines).toHaveLength(5);
  host.kill('SIGTERM');
  await exited(host);
}, 20_000);
