import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createPortIdentity } from '../../../src/activities/port-identity';
import { PortOwners } from '../../../src/activities/port-owners';
import type { SupervisedService } from '../../../src/activities/port-owners';
import type { SocketAddress } from '../../../src/domain/listening-sockets';
import type { FakeProcess } from '../../support/fake-proc';
import { writeFakeProc } from '../../support/fake-proc';
import { exitOf } from '../../support/harness-process';
import { makeService, makeStatus, makeTempDirs } from '../../support/tool-deps';

const tempDir = makeTempDirs();
const AT: SocketAddress = { ip: '127.0.0.1', port: 8001 };
const LOOPBACK = '0100007F:1F41';
const SERVICE = { name: 'limiter', pid: 100 };
const OURS = { HARNESS_RUN_ID: 'run', HARNESS_SERVICE: 'limiter' };
const own: FakeProcess = { pid: 100, environment: OURS };

interface World {
  readonly listeners?: readonly (readonly [string, number])[];
  readonly service?: SupervisedService;
  readonly runId?: string | null;
}

function find(
  processes: FakeProcess[],
  { listeners = [[LOOPBACK, 7]], service = SERVICE, runId = 'run' }: World = {},
): string | null {
  const root = tempDir();
  writeFakeProc(root, listeners, processes);
  const owner = new PortOwners({ runId, root }).find(AT, service);
  return owner && `${owner.pid} ${owner.ours ? 'ours' : 'stranger'}`;
}

describe('who owns the port', () => {
  it.each<[string, FakeProcess[], string | null]>([
    ['the service itself', [{ ...own, inodes: [7] }], '100 ours'],
    ['its child', [own, { pid: 101, parent: 100, inodes: [7] }], '101 ours'],
    ['its grandchild', [own, { pid: 101, parent: 100 }, { pid: 90, parent: 101, inodes: [7] }], '90 ours'],
    ['an orphan of its group', [own, { pid: 102, group: 100, inodes: [7] }], '102 ours'],
    ['an orphan of its session', [own, { pid: 102, session: 100, inodes: [7] }], '102 ours'],
    ['a daemon with its mark', [own, { pid: 102, environment: OURS, inodes: [7] }], '102 ours'],
    ['a stranger', [own, { pid: 50, inodes: [7] }], '50 stranger'],
    [
      'another service of the harness',
      [own, { pid: 50, environment: { ...OURS, HARNESS_SERVICE: 'other' }, inodes: [7] }],
      '50 stranger',
    ],
    [
      'the same service of another run',
      [own, { pid: 50, environment: { ...OURS, HARNESS_RUN_ID: 'else' }, inodes: [7] }],
      '50 stranger',
    ],
    [
      'a socket handed over by its old holder',
      [
        { ...own, inodes: [7] },
        { pid: 1, inodes: [7] },
      ],
      '100 ours',
    ],
    [
      'a socket shared with a marked daemon',
      [own, { pid: 1, inodes: [7] }, { pid: 102, environment: OURS, inodes: [7] }],
      '102 ours',
    ],
    ['a process that is not ours to look into', [own, { pid: 50, isForeign: true, inodes: [7] }], null],
    ['one whose mark cannot be read', [own, { pid: 50, environment: null, inodes: [7] }], null],
    [
      'the forwarder of a container',
      [own, { pid: 50, command: ['/usr/bin/docker-proxy', '-proto', 'tcp'], inodes: [7] }],
      null,
    ],
  ])('%s', (_name, processes, expected) => {
    expect(find(processes)).toBe(expected);
  });

  it('the service is dead: only its mark makes a process ours', () => {
    const service = { name: 'limiter', pid: null };
    expect(find([{ pid: 50, inodes: [7] }], { service })).toBe('50 stranger');
    expect(find([{ pid: 50, inodes: [7], environment: OURS }], { service })).toBe('50 ours');
  });

  it('without a run to compare with, a marked process is not accused', () => {
    const processes = [own, { pid: 50, environment: OURS, inodes: [7] }];
    expect(find(processes, { runId: null })).toBeNull();
    expect(find([own, { pid: 50, inodes: [7] }], { runId: null })).toBe('50 stranger');
  });

  it('SO_REUSEPORT: all must be ours', () => {
    const listeners: [string, number][] = [
      [LOOPBACK, 7],
      [LOOPBACK, 8],
    ];
    const child = { pid: 101, parent: 100, inodes: [8] };
    expect(find([{ ...own, inodes: [7] }, child], { listeners })).toBe('100 ours');
    expect(
      find(
        [
          { ...own, inodes: [7] },
          { ...child, parent: 1 },
        ],
        { listeners },
      ),
    ).toBe('101 stranger');
  });

  it('nobody listens, or there is no /proc: not known', () => {
    expect(find([own], { listeners: [] })).toBeNull();
    expect(new PortOwners({ runId: 'run', root: `${tempDir()}/none` }).find(AT, SERVICE)).toBeNull();
  });

  it('says who it is: one line, shortened, nothing invisible', () => {
    const root = tempDir();
    const command = ['python3', '-m', 'http.server\n\u001b[31m\u202e', 'x'.repeat(500)];
    writeFakeProc(root, [[LOOPBACK, 7]], [{ pid: 50, command, inodes: [7] }]);
    const owner = new PortOwners({ runId: 'run', root }).find(AT, SERVICE);
    expect(owner).toMatchObject({ port: 8001, pid: 50, ours: false, startedAt: '2023-11-14T22:13:22.500Z' });
    expect(owner?.command).toMatch(/^python3 -m http\.server x{100,140}$/);
    expect(owner?.user).toMatch(/\S/);
  });

  it('one look reads the tables once while all is well', () => {
    const root = tempDir();
    writeFakeProc(root, [[LOOPBACK, 7]], [{ ...own, inodes: [7] }]);
    const owners = new PortOwners({ runId: 'run', root });
    expect(owners.find(AT, SERVICE)).toMatchObject({ ours: true });
    writeFakeProc(root, [], []);
    expect(owners.find(AT, SERVICE)).toMatchObject({ ours: true });
    expect(new PortOwners({ runId: 'run', root }).find(AT, SERVICE)).toBeNull();
  });
});

describe('whose ports are asked about', () => {
  const root = tempDir();
  writeFakeProc(root, [[LOOPBACK, 7]], [own, { pid: 50, inodes: [7] }]);
  const url = (port: number) => `http://127.0.0.1:${port}/health`;
  const ready = (text: string | null) => ({ ready: { url: text, timeoutMs: 1 } });
  it.each([
    ['the port of ready.url', ready(url(8001)), {}, AT, false],
    ['the port of metrics_url', { ...ready(url(1)), metricsUrl: url(8001) }, {}, AT, false],
    ['no ready.url: any port', ready(null), {}, AT, false],
    ['a port that is not declared: a proxy, a database', ready(url(1)), {}, AT, undefined],
    ['another machine', ready(url(8001)), {}, { ip: '192.0.2.1', port: 8001 }, undefined],
    ['not run by the supervisor', { ...ready(url(8001)), command: null }, {}, AT, undefined],
    ['external', ready(url(8001)), { state: 'external' as const }, AT, undefined],
    ['unknown to the supervisor', ready(url(8001)), { name: 'else' }, AT, undefined],
  ])('%s', (_name, service, status, remote, ours) => {
    const look = createPortIdentity([makeService('/tmp', service)], { runId: 'run', root });
    expect(look([makeStatus({ pid: 100, ...status })])('limiter')(remote)?.ours).toBe(ours);
  });

  it('an invariant without a service: nobody is asked', () => {
    const look = createPortIdentity([makeService('/tmp', ready(null))], { runId: 'run', root });
    expect(look([makeStatus({ pid: 100 })])(null)(AT)).toBeNull();
  });
});

const LISTEN = `require('node:net').createServer().listen(0, process.argv[1], function () { console.log(this.address().port) })`;
const ROUNDABOUT = `require('node:child_process').spawn('setsid', [process.execPath, '-e', process.argv[2], process.argv[1]], { stdio: 'inherit' }); setInterval(() => {}, 1000)`;

describe('real processes', () => {
  const children: ChildProcess[] = [];
  afterAll(async () => {
    for (const child of children) {
      try {
        process.kill(-(child.pid ?? 0), 'SIGKILL');
      } catch {
        // It has ended already.
      }
    }
    await Promise.all(children.map((child) => exitOf(child)));
  });

  async function listen(script: string, host: string): Promise<{ pid: number; port: number }> {
    const child = spawn(process.execPath, ['-e', script, host, LISTEN], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    children.push(child);
    const [port] = (await once(child.stdout, 'data')) as [Buffer];
    return { pid: child.pid ?? 0, port: Number(port.toString()) };
  }
  const ask = (ip: string, port: number, pid: number | null) =>
    new PortOwners({ runId: 'run' }).find({ ip, port }, { name: 'limiter', pid });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['::1', '::1'],
    ['::', '127.0.0.1'],
    ['::', '::1'],
  ])(
    'listening on %s, asked at %s: its own port is ours, and a stranger for anybody else',
    async (host, ip) => {
      const { pid, port } = await listen(LISTEN, host);
      expect(ask(ip, port, pid)).toMatchObject({ pid, port, ours: true });
      expect(ask(ip, port, null)).toMatchObject({ pid, port, ours: false });
      expect(ask(ip, port, process.pid)).toMatchObject({ ours: true });
      expect(ask(ip, 1, pid)).toBeNull();
    },
  );

  it('a grandchild in a session of its own is ours', async () => {
    const { pid, port } = await listen(ROUNDABOUT, '127.0.0.1');
    const owner = ask('127.0.0.1', port, pid);
    expect(owner).toMatchObject({ ours: true });
    expect(owner?.pid).not.toBe(pid);
    expect(owner?.command).toContain('-e');
    if (owner) process.kill(owner.pid, 'SIGKILL');
  });
});
