import { join } from 'node:path';
import { readLogTail } from '../../../src/client/log-reader';
import { StartFailed } from '../../../src/supervisor/component';
import type { ComponentEvent, ComponentSpec } from '../../../src/supervisor/component';
import { eventually, isAlive, openBench, readNumber } from './support';
import type { Bench } from './support';

let bench: Bench;
let events: ComponentEvent[];
beforeEach(() => {
  bench = openBench(() => []);
  events = [];
  bench.supervisor.onComponentEvent((event) => events.push(event));
});
afterEach(() => bench.close());

const spec = (script: string, more: Partial<ComponentSpec> = {}): ComponentSpec => ({
  name: 'part',
  command: ['/bin/sh', '-c', script],
  cwd: bench.dir,
  env: { PATH: '/usr/bin:/bin', ONLY: 'this' },
  ready: { kind: 'running' },
  readyTimeoutMs: 3_000,
  stopTimeoutMs: 1_000,
  ...more,
});
const component = () => bench.supervisor.current().components[0];

test('a node process is ready when it says so over IPC', async () => {
  const code =
    "setTimeout(() => { console.log('announcing'); process.send({type: 'ready'}); }, 30); setInterval(() => {}, 1000);";
  const starting = bench.supervisor.startComponent(
    spec('', { command: [process.execPath, '-e', code], ready: { kind: 'message' } }),
  );
  expect(component()).toMatchObject({ name: 'part', state: 'stopped' });
  await starting;
  expect(component()).toMatchObject({ state: 'running', pid: expect.any(Number) as unknown });
  expect(events.map(({ kind }) => kind)).toEqual(['starting', 'ready']);
});

test('other messages do not make it ready; its end is a failed start with its lines', async () => {
  const code =
    "process.send({type: 'other'}); console.error('cannot bind'); process.exitCode = 9; process.disconnect();";
  const starting = bench.supervisor.startComponent(
    spec('', { command: [process.execPath, '-e', code], ready: { kind: 'message' } }),
  );
  await expect(starting).rejects.toMatchObject({
    name: 'StartFailed',
    lastLines: ['cannot bind'],
    message: expect.stringContaining('part exited with code 9') as unknown,
  });
  expect(component()).toMatchObject({ state: 'exited', pid: null, exit: { code: 9 } });
});

test('a probe is asked until it holds', async () => {
  let asked = 0;
  const probe = (): Promise<boolean> => {
    asked += 1;
    return asked < 3 ? Promise.reject(new Error('not yet')) : Promise.resolve(true);
  };
  await bench.supervisor.startComponent(spec('exec sleep 100', { ready: { kind: 'probe', probe } }));
  expect(asked).toBe(3);
});

test('not ready in time: rejected with what the probe saw, and nothing is left running', async () => {
  const probe = (): Promise<boolean> => Promise.reject(new Error('connection refused'));
  const starting = bench.supervisor.startComponent(
    spec('echo $$ > pid; echo hello; exec sleep 100', {
      ready: { kind: 'probe', probe },
      readyTimeoutMs: 200,
    }),
  );
  await expect(starting).rejects.toThrow(/not ready within 200 ms \(connection refused\)/);
  const pid = readNumber(join(bench.dir, 'pid'));
  expect(pid !== null && isAlive(pid)).toBe(false);
});

test('without a restart policy a death is final', async () => {
  await bench.supervisor.startComponent(spec('exec sleep 100'));
  process.kill(component()?.pid ?? 0, 'SIGKILL');
  await eventually('exited', () => events.find(({ kind }) => kind === 'exited'));
  expect(events.at(-1)).toMatchObject({
    kind: 'exited',
    restartInMs: null,
    component: { state: 'exited', exit: { signal: 'SIGKILL' } },
  });
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(component()?.state).toBe('exited');
});

test('with a restart policy it comes back, with growing pauses, and is logged as before', async () => {
  const attempts: number[] = [];
  const backoffMs = (attempt: number): number => attempts.push(attempt) * 10;
  await bench.supervisor.startComponent(spec('echo "I am $$"; exec sleep 100', { restart: { backoffMs } }));
  for (let round = 1; round <= 2; round += 1) {
    const { pid } = component() ?? {};
    await eventually('its line', () => bench.shown.includes(`part: I am ${pid}`));
    process.kill(pid ?? 0, 'SIGKILL');
    await eventually('it is back', () => component()?.state === 'running' && component()?.pid !== pid);
  }
  await eventually('its third line', () => bench.shown.includes(`part: I am ${component()?.pid}`));
  expect(attempts).toEqual([1, 2]);
  expect(events.filter(({ kind }) => kind === 'exited').map(({ restartInMs }) => restartInMs)).toEqual([
    10, 20,
  ]);
});

test('a restart that fails is tried again', async () => {
  await bench.supervisor.startComponent(
    spec('echo x >> runs; [ $(wc -l < runs) = 2 ] && exit 5; exec sleep 100', {
      restart: { backoffMs: () => 10 },
      ready: {
        kind: 'probe',
        probe: async () => (await new Promise((resolve) => setTimeout(resolve, 60)), true),
      },
    }),
  );
  process.kill(component()?.pid ?? 0, 'SIGKILL');
  await eventually('the third run', () => events.filter(({ kind }) => kind === 'ready').length === 2);
  const { lines } = await readLogTail(bench.dir, 'part', { limit: 50, stream: 'harness' });
  expect(lines.map(({ line }) => line)).toEqual(
    expect.arrayContaining([expect.stringContaining('exited with code 5')]),
  );
});

test('stopping the harness during the pause before a restart: it does not come back', async () => {
  await bench.supervisor.startComponent(
    spec('echo x >> runs; exec sleep 100', { restart: { backoffMs: () => 50 } }),
  );
  process.kill(component()?.pid ?? 0, 'SIGKILL');
  await eventually('exited', () => events.find(({ kind }) => kind === 'exited'));
  await bench.supervisor.stopAll();
  await new Promise((resolve) => setTimeout(resolve, 120));
  expect(events.filter(({ kind }) => kind === 'starting')).toHaveLength(1);
  expect(component()?.pid).toBeNull();
});

test('a missing executable rejects with MissingExecutable', async () => {
  await expect(
    bench.supervisor.startComponent(spec('', { command: ['/no/such/file'] })),
  ).rejects.toMatchObject({ name: 'MissingExecutable' });
});

test('two processes of one name are refused: they would share logs and marks', async () => {
  await bench.supervisor.startComponent(spec('exec sleep 100'));
  await expect(bench.supervisor.startComponent(spec('exec sleep 100'))).rejects.toThrow(
    'Two processes are called "part"',
  );
});

test('stopAll ends in reverse order and leaves a share of the time to those after one that hangs', async () => {
  const stubborn = "trap '' TERM; echo up; while :; do sleep 0.05; done";
  await bench.supervisor.startComponent(
    spec('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.02; done', { name: 'first' }),
  );
  await bench.supervisor.startComponent(spec(stubborn, { name: 'second', stopTimeoutMs: 300 }));
  await eventually('both are up', () =>
    ['first: up', 'second: up'].every((line) => bench.shown.includes(line)),
  );
  await bench.supervisor.stopAll();
  const ends = events
    .filter(({ kind }) => kind === 'stopped')
    .map(({ component: part }) => [part.name, part.exit?.signal ?? part.exit?.code]);
  expect(ends).toEqual([
    ['second', 'SIGKILL'],
    ['first', 0],
  ]);
  expect(bench.shown).toContain('first: bye');
});

test('killAll: everything is dead at once, also a daemon in a session of its own', async () => {
  await bench.supervisor.startComponent(
    spec(
      "trap '' TERM; setsid sh -c 'echo $$ > daemon; exec sleep 100' & echo $$ > main; while :; do sleep 0.05; done",
    ),
  );
  const main = await eventually('main', () => readNumber(join(bench.dir, 'main')));
  const daemon = await eventually('daemon', () => readNumber(join(bench.dir, 'daemon')));
  bench.supervisor.killAll();
  await eventually('both are gone', () => !isAlive(main) && !isAlive(daemon));
});

test('StartFailed shows the last lines', () => {
  expect(new StartFailed('x failed.', ['a', 'b']).message).toBe('x failed.\n  a\n  b');
});

test('hung: said, killed although it hears nothing, and started again; one that answers is left alone', async () => {
  let silentPid: number | null = null;
  const liveness = {
    probe: () => (component()?.pid === silentPid ? Promise.reject(new Error('silent')) : Promise.resolve()),
    everyMs: 20,
    timeoutMs: 200,
    silentMs: 200,
  };
  await bench.supervisor.startComponent(
    spec('exec sleep 100', { liveness, restart: { backoffMs: () => 10 } }),
  );
  const pid = component()?.pid ?? 0;
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(component()).toMatchObject({ state: 'running', pid });
  process.kill(pid, 'SIGSTOP');
  silentPid = pid;
  await eventually('it is back', () => events.filter(({ kind }) => kind === 'ready').length === 2);
  expect(isAlive(pid)).toBe(false);
  expect(events.map(({ kind }) => kind)).toEqual([
    'starting',
    'ready',
    'hung',
    'exited',
    'starting',
    'ready',
  ]);
  expect(events[2]).toMatchObject({ component: { state: 'running', pid } });
  expect(events[3]).toMatchObject({ restartInMs: 10, component: { exit: { signal: 'SIGKILL' } } });
});
