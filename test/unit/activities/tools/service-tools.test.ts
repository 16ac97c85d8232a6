import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readProcessFacts } from '../../../../src/activities/tools/process-facts';
import { ControlRefused, ControlUnreachable } from '../../../../src/client/control-errors';
import type { CheckResult } from '../../../../src/domain/check';
import { parseInspection } from '../../../../src/domain/inspection';
import {
  callTool,
  makeControl,
  makeDeps,
  makeService,
  makeStatus,
  makeTempDirs,
  NOW,
  TICKET,
} from '../../../support/tool-deps';
import { waitFor } from '../../../support/wait-for';

const dataDir = makeTempDirs()();

function makeCheck(ok: boolean): CheckResult {
  return {
    invariantId: 'limiter_healthy',
    revision: 1,
    at: NOW.toISOString(),
    ok,
    latencyMs: 3,
    resolved: { status: ok ? 200 : 503 },
    error: ok ? null : 'status == 200 is false (status 503)',
  };
}
const EXITED = makeStatus({
  state: 'exited',
  pid: null,
  ready: false,
  exit: { code: null, signal: 'SIGKILL', at: '2026-01-01T00:00:30.000Z' },
});
const unreachable = (wasSent: boolean) => new ControlUnreachable('/run/control.sock', 'ENOENT', wasSent);

describe('inspect_service', () => {
  it('a dead service: what ended it, the failing invariant, its last lines, and what to expect', async () => {
    const deps = makeDeps(dataDir, {
      control: makeControl({ statuses: [EXITED] }),
      probe: () => Promise.resolve(makeCheck(false)),
      readLogs: (_dir, service, { limit }) => {
        expect([service, limit]).toEqual(['limiter', 10]);
        const line = { at: '2026-01-01T00:00:29.000Z', stream: 'stderr' as const, pid: 1, line: 'boom' };
        return Promise.resolve({ lines: [line], truncated: true });
      },
    });
    const result = await callTool(deps, 'inspect_service', { service: 'limiter' });
    expect(result.data).toEqual({
      service: EXITED,
      controllable: true,
      process: null,
      invariant: makeCheck(false),
      starting: false,
      portOwner: null,
      answersElsewhere: false,
      lastLines: ['2026-01-01T00:00:29.000Z boom'],
      changed: [],
    });
    expect(parseInspection(result.data)).not.toBeNull();
    for (const part of ['SIGKILL', 'status 503', 'boom', '"expect": "exited"']) {
      expect(result.content).toContain(part);
    }
  });

  it.each([
    ['where the invariant connected', 'connected'],
    ['at ready.url, when it did not connect', 'refused'],
  ])('a stranger on its port, %s: named, with a word of warning', async (_what, how) => {
    const stranger = { pid: 4711, command: 'nc -l', user: 'ana', startedAt: null, ours: false };
    const deps = makeDeps(dataDir, {
      services: [makeService(dataDir, { ready: { url: 'http://localhost:8001/', timeoutMs: 1 } })],
      control: makeControl({ statuses: [EXITED] }),
      probe: (_id, ownerOf) => {
        if (how === 'connected') ownerOf({ ip: '127.0.0.1', port: 8001 });
        return Promise.resolve(makeCheck(false));
      },
      lookAtPorts: () => () => (remote) =>
        remote.ip === '127.0.0.1' ? { ...stranger, port: remote.port } : null,
    });
    const result = await callTool(deps, 'inspect_service', { service: 'limiter' });
    expect(parseInspection(result.data)?.portOwner).toEqual({ ...stranger, port: 8001 });
    expect(result.content).toContain(
      'port 8001 is answered by pid 4711 (nc -l), not by limiter; do not act on it, ask a person',
    );
  });

  it('a living process: facts of the kernel, state T when it is stopped', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      process.kill(child.pid ?? 0, 'SIGSTOP');
      const status = makeStatus({ pid: child.pid ?? 0 });
      const deps = makeDeps(dataDir, { control: makeControl({ statuses: [status] }) });
      const result = await callTool(deps, 'inspect_service', { service: 'limiter' });
      expect(result.data).toMatchObject({
        process: { state: 'T', threads: 1, cpuPercent: 0, rssBytes: expect.any(Number) as number },
      });
      expect(result.content).toContain(`"expect": {"pid":${child.pid}`);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it.each<[string, readonly NodeJS.Signals[], readonly (number | undefined)[], boolean]>([
    ['that runs gets the whole time', [], [undefined], false],
    ['that is stopped gets less', ['SIGSTOP'], [700], false],
    [
      'that is let go on meanwhile gets the whole time after all',
      ['SIGSTOP', 'SIGCONT'],
      [700, undefined],
      true,
    ],
  ])('a silent process %s for its answer', async (_what, [atFirst, meanwhile], limits, holds) => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      const pid = child.pid ?? 0;
      if (atFirst) {
        process.kill(pid, atFirst);
        await waitFor('it is stopped', async () => (await readProcessFacts(pid))?.state === 'T');
      }
      const asked: (number | undefined)[] = [];
      const deps = makeDeps(dataDir, {
        control: makeControl({ statuses: [makeStatus({ pid })] }),
        probe: (_id, _ownerOf, limitMs) => {
          asked.push(limitMs);
          if (meanwhile) process.kill(pid, meanwhile);
          return Promise.resolve(makeCheck(asked.length > 1));
        },
      });
      const result = await callTool(deps, 'inspect_service', { service: 'limiter' });
      expect(asked).toEqual(limits);
      expect(parseInspection(result.data)?.invariant?.ok).toBe(holds);
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  it.each([
    ['not ready, 10 s after its start', { ready: false, startedAt: '2026-01-01T00:00:50.000Z' }, true],
    ['not ready, 31 s after its start', { ready: false, startedAt: '2026-01-01T00:00:29.000Z' }, false],
    ['was ready and fell silent 10 s after its start', { startedAt: '2026-01-01T00:00:50.000Z' }, false],
    ['ended', { ...EXITED, startedAt: '2026-01-01T00:00:50.000Z' }, false],
  ])('starting, when %s: %#', async (_what, change, starting) => {
    const deps = makeDeps(dataDir, { control: makeControl({ statuses: [makeStatus(change)] }) });
    expect((await callTool(deps, 'inspect_service', { service: 'limiter' })).data).toMatchObject({
      starting,
    });
  });

  it('the age of a process counts, not the clock: set forward by an hour, it still boots', async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    await once(child, 'spawn');
    try {
      const status = makeStatus({ pid: child.pid ?? 0, ready: false, startedAt: '2025-12-31T23:01:00.000Z' });
      const deps = makeDeps(dataDir, { control: makeControl({ statuses: [status] }) });
      expect((await callTool(deps, 'inspect_service', { service: 'limiter' })).data).toMatchObject({
        starting: true,
      });
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });

  describe('a readiness URL that answers', () => {
    const server = createServer((_request, response) => response.end('ok'));
    beforeAll(() => once(server.listen(0, '127.0.0.1'), 'listening'));
    afterAll(() => server.close());
    const inspect = async (answers: boolean[], resolved: CheckResult['resolved'] = { status: 404 }) => {
      const { port } = server.address() as AddressInfo;
      const ready = { url: `http://127.0.0.1:${port}/`, timeoutMs: 1_000 };
      const deps = makeDeps(dataDir, {
        services: [makeService(dataDir, { ready })],
        probe: () => Promise.resolve({ ...makeCheck(answers.shift() ?? false), resolved }),
      });
      return (await callTool(deps, 'inspect_service', { service: 'limiter' })).data;
    };

    it('while the invariant fails before and after: the check is worth a doubt', async () => {
      expect(await inspect([false, false])).toMatchObject({ answersElsewhere: true });
    });

    it.each<[string, CheckResult['resolved'], boolean]>([
      ['not found', { status: 404, connected: true }, true],
      ['wrong method', { status: 405, connected: true }, true],
      ['nobody listens where the check knocks', { connected: false }, true],
      ['silent on the route of the check only: hung', { connected: true }, false],
      ['its own error on the route of the check only', { status: 503, connected: true }, false],
      ['too slow', { status: 200, value: 500, connected: true }, false],
    ])('%s: %#', async (_what, resolved, isDoubted) => {
      expect(await inspect([false, false], resolved)).toMatchObject({ answersElsewhere: isDoubted });
    });

    it('of a service that has just come back: it holds, and no doubt', async () => {
      const data = await inspect([false, true]);
      expect(data).toMatchObject({ answersElsewhere: false, invariant: { ok: true } });
    });
  });

  it('wait_s: answers as soon as the invariant holds, long before the time is over', async () => {
    const checks = [makeCheck(false), makeCheck(false), makeCheck(true)];
    const deps = makeDeps(dataDir, {
      control: makeControl({ statuses: [EXITED] }),
      probe: () => Promise.resolve(checks.shift() ?? makeCheck(true)),
    });
    const startedAt = performance.now();
    const result = await callTool(deps, 'inspect_service', { service: 'limiter', wait_s: 30 });
    expect(result.data).toMatchObject({ invariant: { ok: true } });
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('wait_s: answers when the process ends, and at the end of the time when nothing changes', async () => {
    const dying = makeDeps(dataDir, { control: makeControl({ statuses: [makeStatus(), EXITED] }) });
    expect((await callTool(dying, 'inspect_service', { service: 'limiter', wait_s: 30 })).data).toMatchObject(
      {
        service: { state: 'exited' },
      },
    );
    const startedAt = performance.now();
    const same = makeDeps(dataDir, { control: makeControl({ statuses: [EXITED] }) });
    await callTool(same, 'inspect_service', { service: 'limiter', wait_s: 0.4 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(395);
  });

  it('a service the supervisor does not know, and one without a command', async () => {
    const deps = makeDeps(dataDir, {
      services: [makeService(dataDir, { command: null })],
      control: makeControl({ statuses: [null] }),
    });
    expect((await callTool(deps, 'inspect_service', { service: 'limiter' })).data).toMatchObject({
      service: null,
      controllable: false,
      process: null,
    });
  });

  it('logs that cannot be read do not hide the rest', async () => {
    const deps = makeDeps(dataDir, { readLogs: () => Promise.reject(new Error('EIO')) });
    expect(await callTool(deps, 'inspect_service', { service: 'limiter' })).toMatchObject({
      isError: false,
      data: { lastLines: [] },
    });
  });

  it('no supervisor: an error that says what to do', async () => {
    const deps = makeDeps(dataDir, { control: makeControl({ statuses: [unreachable(false)] }) });
    const result = await callTool(deps, 'inspect_service', { service: 'limiter' });
    expect(result.isError).toBe(true);
    expect(result.content).toContain('ask a person');
  });

  it('another service is refused', async () => {
    const services = [makeService(dataDir), makeService(dataDir, { name: 'stranger' })];
    const result = await callTool(makeDeps(dataDir, { services }), 'inspect_service', {
      service: 'stranger',
    });
    expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
  });
});

describe('service_control', () => {
  const belief = { pid: 7, started_at: '2026-01-01T00:00:00.000Z' };
  const restart = { service: 'limiter', action: 'restart', expect: belief };
  const result = (outcome: 'performed' | 'noop' | 'fenced' | 'failed') => ({
    outcome,
    service: makeStatus({ pid: 8 }),
    message: 'as it went',
    lastLines: ['EADDRINUSE'],
  });

  it('passes action, belief, who asks and an operation ID to the supervisor', async () => {
    const control = makeControl({ results: [result('performed')] });
    const answer = await callTool(makeDeps(dataDir, { control }), 'service_control', restart);
    expect(control.requests).toEqual([
      {
        service: 'limiter',
        action: 'restart',
        expect: { pid: 7, startedAt: '2026-01-01T00:00:00.000Z' },
        by: 'ticket:T1',
        operationId: expect.stringMatching(/^[^/]+\/[^/]+\/[^/]+$/) as string,
      },
    ]);
    expect(answer).toMatchObject({ isError: false, data: { outcome: 'performed', service: { pid: 8 } } });
  });

  it.each([
    ['noop', false, 'already'],
    ['fenced', false, 'Nothing was done'],
    ['failed', true, 'EADDRINUSE'],
  ] as const)('outcome %s: error %s, says "%s"', async (outcome, isError, words) => {
    const control = makeControl({ results: [result(outcome)] });
    const answer = await callTool(makeDeps(dataDir, { control }), 'service_control', restart);
    expect(answer).toMatchObject({ isError, data: { outcome } });
    expect(answer.content).toContain(words);
    expect(answer.content).toContain('pid 8');
  });

  it.each([
    ['the supervisor is away', unreachable(false), { outcome: 'refused' }],
    ['it broke off after the request: unknown, so no outcome', unreachable(true), {}],
    ['it refuses', new ControlRefused(404, 'unknown service'), { outcome: 'refused' }],
    ['it failed inside: unknown, so no outcome', new ControlRefused(500, 'boom'), {}],
  ])('%s', async (_what, error, data) => {
    const control = makeControl({ results: [error] });
    const answer = await callTool(makeDeps(dataDir, { control }), 'service_control', restart);
    expect(answer.isError).toBe(true);
    expect(answer.data).toEqual(data);
  });

  it.each<[string, Parameters<typeof callTool>[2]]>([
    ['no belief', { service: 'limiter', action: 'restart' }],
    ['a belief of another shape', { service: 'limiter', action: 'restart', expect: { pid: 7 } }],
    ['a belief that is a word', { service: 'limiter', action: 'restart', expect: 'whatever' }],
    ['another service', { service: 'stranger', action: 'restart', expect: 'exited' }],
    ['an unknown action', { service: 'limiter', action: 'destroy', expect: 'exited' }],
    ['an extra field', { ...restart, force: true }],
  ])('%s: refused before the supervisor is asked', async (_what, input) => {
    const control = makeControl({ results: [result('performed')] });
    const services = [makeService(dataDir), makeService(dataDir, { name: 'stranger' })];
    const answer = await callTool(makeDeps(dataDir, { control, services }), 'service_control', input);
    expect(answer).toMatchObject({ isError: true, data: { outcome: 'refused' } });
    expect(control.requests).toEqual([]);
  });

  it('a ticket of one service does not act on another that does exist, its own ticket does', async () => {
    const services = [makeService(dataDir), makeService(dataDir, { name: 'stranger' })];
    const control = makeControl({ results: [result('performed')] });
    const deps = makeDeps(dataDir, { control, services });
    const input = { service: 'stranger', action: 'restart', expect: 'exited' };
    expect((await callTool(deps, 'service_control', input)).isError).toBe(true);
    const own = { ticket: { ...TICKET, service: 'stranger' } };
    expect((await callTool(deps, 'service_control', input, own)).isError).toBe(false);
    expect(control.requests).toHaveLength(1);
  });

  it('status reads only', async () => {
    const control = makeControl({ statuses: [EXITED] });
    const answer = await callTool(makeDeps(dataDir, { control }), 'service_control', {
      service: 'limiter',
      action: 'status',
    });
    expect(answer).toMatchObject({ isError: false, data: { outcome: 'noop', service: { state: 'exited' } } });
  });
});
