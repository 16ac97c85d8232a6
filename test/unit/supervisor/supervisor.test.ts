import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { readLogTail } from '../../../src/client/log-reader';
import type { ControlRequest } from '../../../src/domain/service-state';
import { eventually, isAlive, openBench, readNumber, shellService } from './support';
import type { Bench } from './support';

const SLEEP = 'echo start >> starts; exec sleep 100';
const order = (action: ControlRequest['action'], more: Partial<ControlRequest> = {}): ControlRequest => ({
  service: 'svc',
  action,
  by: 'person',
  ...more,
});

let bench: Bench;
afterEach(() => bench.close());

const starts = (): number => readFileSync(join(bench.dir, 'starts'), 'utf8').split('\n').length - 1;
const status = () => bench.supervisor.current().services[0];
const pid = (): number => status()?.pid ?? -1;

describe('one service', () => {
  test('start, stop, start: states, events and the count of restarts', async () => {
    bench = openBench((dir) => [shellService(dir, SLEEP)]);
    expect(status()).toEqual({
      name: 'svc',
      state: 'stopped',
      pid: null,
      startedAt: null,
      exit: null,
      restarts: 0,
      ready: false,
      desired: 'running',
    });
    const started = await bench.supervisor.act(order('start'));
    expect(started).toMatchObject({
      outcome: 'performed',
      service: { state: 'running', ready: true, restarts: 0 },
    });
    expect((await bench.supervisor.act(order('start'))).outcome).toBe('noop');
    const first = pid();
    const stopped = await bench.supervisor.act(order('stop'));
    expect(stopped).toMatchObject({
      outcome: 'performed',
      service: {
        state: 'stopped',
        pid: null,
        startedAt: null,
        exit: { signal: 'SIGTERM' },
        desired: 'stopped',
      },
    });
    expect(isAlive(first)).toBe(false);
    expect((await bench.supervisor.act(order('stop'))).outcome).toBe('noop');
    expect(await bench.supervisor.act(order('start'))).toMatchObject({
      outcome: 'performed',
      service: { restarts: 1, desired: 'running' },
    });
    expect(bench.events.map(({ kind, asked }) => [kind, asked])).toEqual([
      ['starting', true],
      ['ready', true],
      ['stopped', true],
      ['starting', true],
      ['ready', true],
    ]);
    expect(bench.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  });

  test('a crash is a state and an event that nobody asked for; nothing is started again', async () => {
    bench = openBench((dir) => [shellService(dir, SLEEP)]);
    await bench.supervisor.act(order('start'));
    await eventually('its own mark', () => existsSync(join(bench.dir, 'starts')) && starts() === 1);
    process.kill(pid(), 'SIGKILL');
    const event = await bench.event(({ kind }) => kind === 'exited');
    expect(event).toMatchObject({
      asked: false,
      service: { state: 'exited', pid: null, exit: { code: null, signal: 'SIGKILL' } },
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(starts()).toBe(1);
    expect(status()).toMatchObject({ state: 'exited', desired: 'running', ready: false });
  });

  test('restart of a crashed service is supervised and logged like the first', async () => {
    bench = openBench((dir) => [
      shellService(dir, 'echo "I am $$"; trap "echo bye; exit 3" TERM; while :; do sleep 0.02; done'),
    ]);
    await bench.supervisor.act(order('start'));
    process.kill(pid(), 'SIGKILL');
    await bench.event(({ kind }) => kind === 'exited');
    await bench.supervisor.act(order('restart', { by: 'ticket:abc', expect: 'exited' }));
    const second = pid();
    await eventually('its line', () => bench.shown.includes(`svc: I am ${second}`));
    await bench.supervisor.act(order('stop'));
    expect(status()?.exit).toMatchObject({ code: 3, signal: null });
    await bench.supervisor.stopAll();
    const { lines } = await readLogTail(bench.dir, 'svc', { limit: 50 });
    const ofSecond = lines
      .filter((line) => line.pid === second)
      .map(({ stream, line }) => `${stream} ${line}`);
    expect(ofSecond).toEqual(
      expect.arrayContaining([
        'harness started, ordered by ticket:abc',
        `stdout I am ${second}`,
        'stdout bye',
        'harness exited with code 3',
      ]),
    );
  });

  test('its environment is what is configured and nothing else', async () => {
    bench = openBench((dir) => [
      shellService(dir, 'env > env.txt; echo done > done; exec sleep 100', {
        env: { TOKEN: 'x-${env:TEST_SECRET}', A: '1' },
      }),
    ]);
    process.env['HARNESS_TEST_LEAK'] = 'leaked';
    await bench.supervisor.act(order('start'));
    delete process.env['HARNESS_TEST_LEAK'];
    await eventually('env.txt', () => existsSync(join(bench.dir, 'done')));
    const names = readFileSync(join(bench.dir, 'env.txt'), 'utf8').trim().split('\n');
    expect(names).toEqual(expect.arrayContaining(['TOKEN=x-from-environment', 'A=1', 'HARNESS_SERVICE=svc']));
    const shellOwn = ['PWD', 'OLDPWD', 'SHLVL', '_'];
    expect(
      names
        .map((line) => line.split('=')[0] ?? '')
        .filter((name) => !shellOwn.includes(name))
        .sort(),
    ).toEqual(['A', 'HARNESS_RUN_ID', 'HARNESS_SERVICE', 'HOME', 'LANG', 'PATH', 'TOKEN']);
  });

  test('a secret that is not set: failed start that says so, nothing runs', async () => {
    bench = openBench((dir) => [shellService(dir, SLEEP, { env: { T: 'x' } })], {
      resolveSecrets: () => {
        throw new Error('${env:T} needs the environment variable T, which is not set');
      },
    });
    const result = await bench.supervisor.act(order('start'));
    expect(result).toMatchObject({ outcome: 'failed', service: { state: 'exited', pid: null } });
    expect(result.message).toContain('needs the environment variable T');
  });

  test.each([
    [
      'an executable that is not there',
      { command: ['no-such-program-xyz'] },
      /"no-such-program-xyz" was not found \(PATH is /,
    ],
    ['a file that may not be executed', { command: ['./plain'] }, /"\.\/plain" may not be executed/],
    [
      'a working directory that is not there',
      { cwd: '/no/such/dir' },
      /working directory \/no\/such\/dir does not exist/,
    ],
  ])('%s: failed start, distinguishable, with an event', async (_name, overrides, message) => {
    bench = openBench((dir) => {
      writeFileSync(join(dir, 'plain'), 'text', { mode: 0o644 });
      return [shellService(dir, '', overrides)];
    });
    const [report] = await bench.supervisor.startServices();
    expect(report).toMatchObject({ kind: 'tried', missingExecutable: true, result: { outcome: 'failed' } });
    expect(report?.kind === 'tried' && report.result.message).toMatch(message);
    expect(bench.events).toMatchObject([
      { kind: 'exited', asked: false, service: { state: 'exited', pid: null } },
    ]);
  });

  test('an unknown service and one without a command are refused', async () => {
    bench = openBench((dir) => [shellService(dir, '', { name: 'outside', command: null })]);
    await expect(bench.supervisor.act(order('start'))).rejects.toMatchObject({
      status: 404,
      message: expect.stringContaining('outside') as unknown,
    });
    await expect(bench.supervisor.act(order('start', { service: 'outside' }))).rejects.toMatchObject({
      status: 400,
    });
    expect(status()?.state).toBe('external');
  });

  test('a process that ignores SIGTERM is killed after the stop timeout', async () => {
    bench = openBench((dir) => [
      shellService(dir, "trap '' TERM; echo up > up; while :; do sleep 0.05; done", { stopTimeoutMs: 150 }),
    ]);
    await bench.supervisor.act(order('start'));
    await eventually('trap', () => existsSync(join(bench.dir, 'up')));
    const began = Date.now();
    await bench.supervisor.act(order('stop'));
    expect(Date.now() - began).toBeGreaterThanOrEqual(140);
    expect(status()).toMatchObject({ state: 'stopped', exit: { signal: 'SIGKILL' } });
  });

  test.each([
    ['restart of a suspended process kills it at once', 'restart', 'SIGKILL'],
    ['stop of a suspended process lets it end by itself', 'stop', 'SIGTERM'],
  ] as const)('%s', async (_name, action, signal) => {
    bench = openBench((dir) => [shellService(dir, 'exec sleep 100', { stopTimeoutMs: 3_000 })]);
    await bench.supervisor.act(order('start'));
    const hung = pid();
    process.kill(hung, 'SIGSTOP');
    await eventually('state T', () => / T /.test(readFileSync(`/proc/${hung}/stat`, 'latin1')));
    const began = Date.now();
    const result = await bench.supervisor.act(
      order(action, { expect: { pid: hung, startedAt: status()?.startedAt ?? '' } }),
    );
    expect(result.outcome).toBe('performed');
    expect(Date.now() - began).toBeLessThan(1_000);
    expect(bench.events.find(({ kind }) => kind === 'stopped')?.service.exit?.signal).toBe(signal);
  });

  test('descendants end with it: a grandchild of the group and one in a session of its own', async () => {
    const script =
      "sleep 100 & echo $! > grandchild; setsid sh -c 'echo $$ > daemon; exec sleep 100' & exec sleep 100";
    bench = openBench((dir) => [shellService(dir, script)]);
    await bench.supervisor.act(order('start'));
    const grandchild = await eventually('grandchild', () => readNumber(join(bench.dir, 'grandchild')));
    const daemon = await eventually('daemon', () => readNumber(join(bench.dir, 'daemon')));
    expect([isAlive(grandchild), isAlive(daemon)]).toEqual([true, true]);
    await bench.supervisor.act(order('stop'));
    expect([isAlive(grandchild), isAlive(daemon)]).toEqual([false, false]);
  });

  test('what a crashed process left behind is gone before the next one starts', async () => {
    const script =
      'echo $$ > $$.main; if [ -e left ]; then grep -qs "State:.[^Z]" /proc/$(cat left)/status && echo 1 > overlap; else setsid sleep 100 & echo $! > left; fi; exec sleep 100';
    bench = openBench((dir) => [shellService(dir, script)]);
    await bench.supervisor.act(order('start'));
    const left = await eventually('left', () => readNumber(join(bench.dir, 'left')));
    process.kill(pid(), 'SIGKILL');
    await bench.event(({ kind }) => kind === 'exited');
    expect(isAlive(left)).toBe(true);
    await bench.supervisor.act(order('restart', { expect: 'exited' }));
    expect(isAlive(left)).toBe(false);
    const second = pid();
    await eventually('second', () => readNumber(join(bench.dir, `${second}.main`)));
    await bench.supervisor.act(order('stop'));
    expect(readNumber(join(bench.dir, 'overlap'))).toBeNull();
  });
});

describe('readiness', () => {
  let server: Server;
  let answer = 503;
  let url = '';
  beforeEach(async () => {
    answer = 503;
    server = createServer((_request, response) => response.writeHead(answer).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/health`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test('starting with a pid until the URL answers 2xx, then running', async () => {
    bench = openBench((dir) => [shellService(dir, SLEEP, { ready: { url, timeoutMs: 4_000 } })]);
    const starting = bench.supervisor.act(order('start'));
    await bench.event(({ kind }) => kind === 'starting');
    expect(status()).toMatchObject({ state: 'starting', pid: expect.any(Number) as unknown, ready: false });
    answer = 204;
    expect(await starting).toMatchObject({
      outcome: 'performed',
      service: { state: 'running', ready: true },
    });
  });

  test('an exit before it is ready: failed, with the last lines', async () => {
    bench = openBench((dir) => [
      shellService(dir, 'for i in $(seq 30); do echo line $i; done; printf "no newline" >&2; exit 7', {
        ready: { url, timeoutMs: 4_000 },
      }),
    ]);
    const result = await bench.supervisor.act(order('start'));
    expect(result).toMatchObject({ outcome: 'failed', service: { state: 'exited', exit: { code: 7 } } });
    expect(result.message).toContain('exited with code 7');
    expect(result.lastLines).toHaveLength(20);
    expect(result.lastLines).toEqual(expect.arrayContaining(['line 30', 'no newline']));
    expect(bench.events.at(-1)).toMatchObject({ kind: 'exited', asked: false });
  });

  test('not ready in time: failed, says what it saw, left running; ready later is noticed', async () => {
    bench = openBench((dir) => [
      shellService(dir, 'echo booting; exec sleep 100', { ready: { url, timeoutMs: 300 } }),
    ]);
    const result = await bench.supervisor.act(order('start'));
    expect(result).toMatchObject({
      outcome: 'failed',
      service: { state: 'running', ready: false },
      lastLines: ['booting'],
    });
    expect(result.message).toMatch(/not ready within 300 ms: .*answered 503.*left running/);
    expect(isAlive(pid())).toBe(true);
    answer = 200;
    await bench.event(({ kind }) => kind === 'ready');
    expect(status()).toMatchObject({ ready: true });
    expect((await bench.supervisor.act(order('start'))).outcome).toBe('noop');
  });

  test('a person can stop a service that is still booting', async () => {
    bench = openBench((dir) => [shellService(dir, SLEEP, { ready: { url, timeoutMs: 20_000 } })]);
    const starting = bench.supervisor.act(order('start'));
    await bench.event(({ kind }) => kind === 'starting');
    expect(await bench.supervisor.act(order('stop'))).toMatchObject({
      outcome: 'performed',
      service: { state: 'stopped' },
    });
    expect((await starting).outcome).toBe('failed');
  });

  test('services start in order: the second only when the first is ready', async () => {
    bench = openBench((dir) => [
      shellService(dir, SLEEP, { name: 'db', ready: { url, timeoutMs: 4_000 } }),
      shellService(dir, SLEEP, { name: 'api', dependsOn: ['db'] }),
    ]);
    const starting = bench.supervisor.startServices();
    await bench.event(({ service, kind }) => service.name === 'db' && kind === 'starting');
    await new Promise((resolve) => setTimeout(resolve, 100));
    answer = 200;
    expect(await starting).toMatchObject([
      { service: 'db', kind: 'tried' },
      { service: 'api', kind: 'tried' },
    ]);
    expect(bench.events.map(({ service, kind }) => `${service.name} ${kind}`)).toEqual([
      'db starting',
      'db ready',
      'api starting',
      'api ready',
    ]);
    bench.events.length = 0;
    await bench.supervisor.stopAll();
    expect(bench.events.map(({ service, kind }) => `${service.name} ${kind}`)).toEqual([
      'api stopped',
      'db stopped',
    ]);
  });
});
