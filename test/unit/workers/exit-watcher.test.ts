import { ControlUnreachable } from '../../../src/client/control-errors';
import type { ServiceEvent, ServiceStatus } from '../../../src/domain/service-state';
import { createExitWatcher } from '../../../src/workers/exit-watcher';
import { T0 } from '../../support/invariants';

const RUNNING: ServiceStatus = {
  name: 'web',
  state: 'running',
  pid: 10,
  startedAt: T0,
  exit: null,
  restarts: 0,
  ready: true,
  desired: 'running',
};
const EXITED: ServiceStatus = {
  ...RUNNING,
  state: 'exited',
  pid: null,
  ready: false,
  exit: { code: null, signal: 'SIGKILL', at: T0 },
};
const STOPPED: ServiceStatus = { ...EXITED, state: 'stopped', desired: 'stopped' };

function watcher(checkService = (): Promise<void> => Promise.resolve()) {
  const checks: string[] = [];
  const errors: string[] = [];
  const follower = createExitWatcher({
    checkService: (service, cause) => {
      checks.push(`${service} ${cause}`);
      return checkService();
    },
    log: { warn: () => undefined, error: (_context: object, message: string) => errors.push(message) },
  });
  const snapshot = (...services: ServiceStatus[]): void => follower.onSnapshot({ services, components: [] });
  const event = (kind: ServiceEvent['kind'], asked: boolean, service: ServiceStatus): void =>
    follower.onEvent({ seq: 1, at: T0, kind, asked, service });
  return { checks, errors, snapshot, event, follower };
}

describe('an event', () => {
  it.each([
    ['an exit nobody asked for', 'exited', false, EXITED, ['web exit']],
    ['an exit somebody asked for', 'exited', true, STOPPED, []],
    ['a stop', 'stopped', true, STOPPED, []],
    ['a start', 'starting', true, RUNNING, []],
    ['becoming ready', 'ready', false, RUNNING, []],
  ] as const)('%s', (_name, kind, asked, service, expected) => {
    const { checks, snapshot, event } = watcher();
    snapshot(RUNNING);
    event(kind, asked, service);
    expect(checks).toEqual(expected);
  });
});

describe('a snapshot', () => {
  it.each([
    ['first, all well', undefined, RUNNING, []],
    ['first, dead already', undefined, EXITED, ['web event']],
    ['first, stopped by a person', undefined, STOPPED, []],
    ['again, the same', RUNNING, RUNNING, []],
    ['again, dead meanwhile', RUNNING, EXITED, ['web event']],
    ['again, another process meanwhile', RUNNING, { ...RUNNING, pid: 11 }, ['web event']],
    ['again, still dead', EXITED, EXITED, []],
  ] as const)('%s', (_name, before, now, expected) => {
    const { checks, snapshot, follower } = watcher();
    if (before) snapshot(before);
    checks.length = 0;
    follower.onDown(new ControlUnreachable('/run/control.sock', 'away', false));
    snapshot(now);
    expect(checks).toEqual(expected);
  });

  it('after an exit that was seen says nothing new', () => {
    const { checks, snapshot, event } = watcher();
    snapshot(RUNNING);
    event('exited', false, EXITED);
    snapshot(EXITED);
    expect(checks).toEqual(['web exit']);
  });
});

it('a check that cannot be started is said, and does not end the watching', async () => {
  const { checks, errors, event } = watcher(() => Promise.reject(new Error('Temporal is away')));
  event('exited', false, EXITED);
  await new Promise((resolve) => setImmediate(resolve));
  event('exited', false, EXITED);
  await new Promise((resolve) => setImmediate(resolve));
  expect(checks).toEqual(['web exit', 'web exit']);
  expect(errors).toHaveLength(2);
});
