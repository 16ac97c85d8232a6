import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  ControlRequest,
  ControlResult,
  Expectation,
  ServiceStatus,
} from '../../../src/domain/service-state';
import { eventually, openBench, shellService } from './support';
import type { Bench } from './support';

let bench: Bench;
afterEach(() => bench.close());

const status = (): ServiceStatus => {
  const [service] = bench.supervisor.current().services;
  if (service === undefined) throw new Error('no service');
  return service;
};
const act = (request: Omit<ControlRequest, 'service' | 'by'> & { by?: string }): Promise<ControlResult> =>
  bench.supervisor.act({ service: 'svc', by: 'person', ...request });
/** Starts as the service counted them itself. */
function starts(): number {
  try {
    return readFileSync(join(bench.dir, 'starts'), 'utf8').split('\n').length - 1;
  } catch {
    return 0;
  }
}
const untilStarted = (count: number): Promise<boolean> =>
  eventually(`${count} starts`, () => starts() >= count);

/** The service in the state that a row of the table begins with. */
async function arrange(state: 'running' | 'exited' | 'stopped'): Promise<void> {
  bench = openBench((dir) => [
    shellService(dir, 'echo start >> starts; exec sleep 100', { stopTimeoutMs: 1_000 }),
  ]);
  await act({ action: 'start', by: 'harness' });
  await untilStarted(1);
  if (state === 'stopped') await act({ action: 'stop', by: 'ticket:t1' });
  if (state === 'exited') {
    process.kill(status().pid ?? 0, 'SIGKILL');
    await bench.event(({ kind }) => kind === 'exited');
  }
}

type Belief = 'none' | 'exited' | 'right' | 'wrong pid' | 'wrong time';
function expectation(belief: Belief): { expect?: Expectation } {
  const { pid, startedAt } = status();
  const right = { pid: pid ?? 4_000_000, startedAt: startedAt ?? '2026-01-01T00:00:00.000Z' };
  switch (belief) {
    case 'none':
      return {};
    case 'exited':
      return { expect: 'exited' };
    case 'right':
      return { expect: right };
    case 'wrong pid':
      return { expect: { ...right, pid: right.pid + 1 } };
    case 'wrong time':
      return { expect: { ...right, startedAt: '2020-01-01T00:00:00.000Z' } };
  }
}

describe('fencing: state, action and belief decide the outcome', () => {
  test.each([
    ['running', 'start', 'none', 'noop', 0],
    ['running', 'start', 'exited', 'fenced', 0],
    ['running', 'start', 'right', 'noop', 0],
    ['running', 'stop', 'exited', 'fenced', 0],
    ['running', 'stop', 'wrong pid', 'fenced', 0],
    ['running', 'stop', 'right', 'performed', 0],
    ['running', 'restart', 'none', 'performed', 1],
    ['running', 'restart', 'exited', 'fenced', 0],
    ['running', 'restart', 'right', 'performed', 1],
    ['running', 'restart', 'wrong pid', 'fenced', 0],
    ['running', 'restart', 'wrong time', 'fenced', 0],
    ['exited', 'start', 'none', 'performed', 1],
    ['exited', 'start', 'exited', 'performed', 1],
    ['exited', 'restart', 'none', 'performed', 1],
    ['exited', 'restart', 'exited', 'performed', 1],
    ['exited', 'restart', 'right', 'fenced', 0],
    ['exited', 'stop', 'none', 'performed', 0],
    ['exited', 'stop', 'right', 'fenced', 0],
    ['stopped', 'stop', 'none', 'noop', 0],
    ['stopped', 'stop', 'exited', 'noop', 0],
    ['stopped', 'start', 'exited', 'performed', 1],
    ['stopped', 'restart', 'right', 'fenced', 0],
  ] as const)('%s, %s, belief %s: %s, %i more starts', async (state, action, belief, outcome, moreStarts) => {
    await arrange(state);
    const before = { status: status(), starts: starts() };
    const result = await act({ action, by: 'ticket:t1', ...expectation(belief) });
    expect(result.outcome).toBe(outcome);
    expect(result.service).toEqual(status());
    if (outcome === 'fenced' || outcome === 'noop') expect(status()).toEqual(before.status);
    await untilStarted(before.starts + moreStarts);
    await bench.supervisor.stopAll();
    expect(starts() - before.starts).toBe(moreStarts);
  });
});

test('a fenced answer names what is there and what was believed', async () => {
  await arrange('running');
  const { pid } = status();
  const result = await act({ action: 'restart', expect: { pid: 1, startedAt: 'x' } });
  expect(result.message).toContain(`runs as pid ${pid}`);
  expect(result.message).toContain('pid 1');
});

test.each([['exited'], ['running']] as const)(
  'ten restarts at once with the same belief about a service that is %s: one start',
  async (state) => {
    await arrange(state);
    const belief = expectation(state === 'exited' ? 'exited' : 'right');
    const before = starts();
    const results = await Promise.all(
      Array.from({ length: 10 }, () => act({ action: 'restart', by: 'ticket:t1', ...belief })),
    );
    expect(results.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array<string>(9).fill('fenced'),
      'performed',
    ]);
    await untilStarted(before + 1);
    await bench.supervisor.stopAll();
    expect(starts() - before).toBe(1);
  },
);

test('orders without a belief are carried out one after the other', async () => {
  await arrange('running');
  const before = status().restarts;
  const results = await Promise.all([
    act({ action: 'restart' }),
    act({ action: 'restart' }),
    act({ action: 'stop' }),
    act({ action: 'start' }),
  ]);
  expect(results[3]).toMatchObject({ outcome: 'performed' });
  expect(status().restarts - before).toBe(3);
  const changes = bench.events.slice(2).flatMap(({ kind }) => (kind === 'ready' ? [] : [kind]));
  expect(changes).toEqual(['stopped', 'starting', 'stopped', 'starting', 'stopped', 'starting']);
});

test('an order whose caller has gone before its turn is not begun', async () => {
  await arrange('running');
  const gone = new AbortController();
  const first = act({ action: 'restart' });
  const second = bench.supervisor.act({ service: 'svc', action: 'stop', by: 'person' }, gone.signal);
  gone.abort();
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
  await first;
  expect(status()).toMatchObject({ state: 'running', desired: 'running' });
});

describe('a repeated operation', () => {
  const restart = (operationId: string, signal?: AbortSignal): Promise<ControlResult> =>
    bench.supervisor.act({ service: 'svc', action: 'restart', by: 'ticket:t1', operationId }, signal);

  test('gets the first result, at the same time and later; nothing is done twice', async () => {
    await arrange('running');
    const first = restart('w/r/1');
    const both = await Promise.all([first, restart('w/r/1')]);
    expect(both[0]).toMatchObject({ outcome: 'performed', service: { restarts: 1 } });
    expect(both[1]).toEqual(both[0]);
    expect(await restart('w/r/1')).toEqual(both[0]);
    expect(status().restarts).toBe(1);
    expect(await restart('w/r/2')).toMatchObject({ outcome: 'performed', service: { restarts: 2 } });
  });

  test('whose first caller had gone before its turn is done by the second', async () => {
    await arrange('running');
    const gone = new AbortController();
    const before = act({ action: 'restart' });
    const first = restart('w/r/1', gone.signal);
    const second = restart('w/r/1');
    gone.abort();
    await before;
    await expect(first).rejects.toMatchObject({ name: 'AbortError' });
    expect(await second).toMatchObject({ outcome: 'performed', service: { restarts: 2 } });
  });
});

describe('what people want', () => {
  test('a ticket may stop and start, but not start what a person stopped', async () => {
    await arrange('running');
    await act({ action: 'stop', by: 'ticket:t1' });
    expect(status()).toMatchObject({ state: 'stopped', desired: 'running' });
    expect((await act({ action: 'start', by: 'ticket:t1' })).outcome).toBe('performed');
    await act({ action: 'stop' });
    for (const action of ['start', 'restart'] as const) {
      const refused = await act({ action, by: 'ticket:t1', expect: 'exited' });
      expect(refused).toMatchObject({ outcome: 'fenced', service: { state: 'stopped', desired: 'stopped' } });
      expect(refused.message).toContain('A person stopped svc');
    }
    expect((await act({ action: 'start' })).outcome).toBe('performed');
    expect(status().desired).toBe('running');
  });

  test('stopping a crashed service is news: an event with the new wish', async () => {
    await arrange('exited');
    expect((await act({ action: 'stop' })).outcome).toBe('performed');
    expect(bench.events.at(-1)).toMatchObject({
      kind: 'stopped',
      asked: true,
      service: { state: 'stopped', desired: 'stopped' },
    });
  });

  test('a service that a person stopped stays stopped in the next run, and the report says so', async () => {
    await arrange('running');
    await act({ action: 'stop' });
    await bench.supervisor.stopAll();
    const next = openBench((dir) => [shellService(dir, 'exec sleep 100')], { dir: bench.dir });
    try {
      const reports = await next.supervisor.startServices();
      expect(reports).toMatchObject([
        { kind: 'skipped', reason: expect.stringContaining('harness service start svc') as unknown },
      ]);
      expect(next.supervisor.current().services[0]).toMatchObject({ state: 'stopped', desired: 'stopped' });
    } finally {
      await next.close();
    }
  });

  test('the shutdown of the harness is not a wish to have it stopped', async () => {
    await arrange('running');
    await bench.supervisor.stopAll();
    expect(status()).toMatchObject({ state: 'stopped', desired: 'running' });
    await expect(act({ action: 'start' })).rejects.toMatchObject({ status: 503 });
  });
});
