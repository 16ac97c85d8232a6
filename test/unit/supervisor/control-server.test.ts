import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient } from '../../../src/client/control-client';
import type { ControlRequest } from '../../../src/domain/service-state';
import { startControlServer } from '../../../src/supervisor/control-server';
import type { ControlHost, ControlServer } from '../../../src/supervisor/control-server';
import { openBench, shellService } from './support';
import type { Bench } from './support';

let dir: string;
let socket: string;
let server: ControlServer | null = null;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'harness-control-'));
  socket = join(dir, 'run', 'control.sock');
});
afterEach(async () => {
  await server?.close();
  server = null;
  rmSync(dir, { recursive: true, force: true });
});

const nobody: ControlHost = {
  current: () => ({ services: [], components: [] }),
  act: () => Promise.reject(new Error('nobody acts here')),
  onEvent: () => () => undefined,
};

function send(method: string, path: string, body?: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: socket, method, path, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

describe('the socket', () => {
  test('only its owner may use it, and it goes with the server', async () => {
    server = await startControlServer(socket, nobody);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'run')).mode & 0o777).toBe(0o700);
    await server.close();
    server = null;
    expect(existsSync(socket)).toBe(false);
  });

  test('the mask of the process is the same afterwards', async () => {
    const before = process.umask();
    server = await startControlServer(socket, nobody);
    expect(process.umask()).toBe(before);
  });

  test('a file that a crash left is replaced', async () => {
    server = await startControlServer(socket, nobody);
    await server.close();
    writeFileSync(socket, '');
    server = await startControlServer(socket, nobody);
    expect(await createControlClient(socket).snapshot()).toEqual({ services: [], components: [] });
  });

  test('a socket on which somebody listens is left alone, even if he does not answer', async () => {
    server = await startControlServer(socket, nobody);
    await expect(startControlServer(socket, nobody)).rejects.toThrow(`answers on ${socket}`);
    expect(await createControlClient(socket).snapshot()).toEqual({ services: [], components: [] });
    await server.close();

    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(socket, resolve));
    await expect(startControlServer(socket, nobody)).rejects.toThrow('Another supervisor');
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe('requests', () => {
  let bench: Bench;
  beforeEach(async () => {
    bench = openBench((home) => [shellService(home, 'exec sleep 100')]);
    server = await startControlServer(socket, bench.supervisor);
  });
  afterEach(() => bench.close());

  test('reading: snapshot, services, one service', async () => {
    const service = { name: 'svc', state: 'stopped', desired: 'running', pid: null };
    expect(await send('GET', '/snapshot')).toMatchObject({
      status: 200,
      body: { services: [service], components: [] },
    });
    expect(await send('GET', '/services')).toMatchObject({ status: 200, body: [service] });
    expect(await send('GET', '/services/svc')).toMatchObject({ status: 200, body: service });
  });

  test('acting over the socket is the same as acting in the process', async () => {
    const client = createControlClient(socket);
    const request = (more: Partial<ControlRequest>): ControlRequest => ({
      service: 'svc',
      action: 'start',
      by: 'person',
      ...more,
    });
    const started = await client.act(request({}));
    expect(started).toMatchObject({ outcome: 'performed', service: { state: 'running' } });
    const { pid, startedAt } = started.service;
    expect((await client.act(request({ action: 'stop', expect: 'exited' }))).outcome).toBe('fenced');
    if (pid === null || startedAt === null) throw new Error('not running');
    expect(
      (await client.act(request({ action: 'restart', by: 'ticket:abc_-1', expect: { pid, startedAt } })))
        .outcome,
    ).toBe('performed');
    expect((await client.act(request({ action: 'stop' }))).outcome).toBe('performed');
  });

  test.each([
    ['GET', '/', undefined, 404, /no GET \//],
    ['GET', '/services/other', undefined, 404, /no service "other"/],
    ['DELETE', '/services/svc', undefined, 404, /no DELETE/],
    ['POST', '/services/other/start', '{"by":"person"}', 404, /no service "other"; configured: svc/],
    [
      'POST',
      '/services/svc/explode',
      '{"by":"person"}',
      404,
      /"explode" is no action; use start, stop, restart/,
    ],
    ['POST', '/services/svc/start', undefined, 400, /Bad request body/],
    ['POST', '/services/svc/start', '{"by":', 400, /Bad request body/],
    ['POST', '/services/svc/start', '{"by":"ticket:../x"}', 400, /by: must be "person"/],
    ['POST', '/services/svc/start', '{"by":"person","expect":{"pid":1}}', 400, /expect/],
    ['POST', '/services/svc/start', '{"by":"person","force":true}', 400, /force/],
    ['POST', '/services/svc/start', `{"by":"${'x'.repeat(70_000)}"}`, 400, /above 65536 bytes/],
  ])('%s %s with %s: %i', async (method, path, body, status, message) => {
    const answer = await send(method, path, body);
    expect(answer.status).toBe(status);
    expect((answer.body as { error: string }).error).toMatch(message);
    expect(bench.events).toEqual([]);
  });
});

test('a caller that goes away aborts only what has not begun', async () => {
  let aborted = new Promise<void>(() => undefined);
  let received: () => void = () => undefined;
  const arrived = new Promise<void>((resolve) => (received = resolve));
  server = await startControlServer(socket, {
    ...nobody,
    act: (_request, signal) => {
      aborted = new Promise((resolve) => signal?.addEventListener('abort', () => resolve()));
      received();
      return new Promise(() => undefined);
    },
  });
  const caller = new AbortController();
  const acting = createControlClient(socket).act(
    { service: 'svc', action: 'stop', by: 'person' },
    caller.signal,
  );
  await arrived;
  caller.abort();
  await expect(acting).rejects.toMatchObject({ name: 'AbortError' });
  await aborted;
});

test('a reader that does not read is disconnected instead of filling the memory', async () => {
  let publish: (line: string) => void = () => undefined;
  let listeners = 0;
  server = await startControlServer(socket, {
    ...nobody,
    onEvent: (listener) => {
      listeners += 1;
      const service = {
        name: '',
        state: 'running',
        pid: 1,
        startedAt: '',
        exit: null,
        restarts: 0,
        ready: true,
        desired: 'running',
      } as const;
      publish = (name) =>
        listener({ seq: 1, at: '', kind: 'ready', asked: true, service: { ...service, name } });
      return () => (listeners -= 1);
    },
  });
  const response = await new Promise<http.IncomingMessage>((resolve) =>
    http.get({ socketPath: socket, path: '/events', agent: false }, resolve),
  );
  const closed = new Promise((resolve) => response.once('close', resolve));
  response.on('error', () => undefined);
  response.pause();
  expect(listeners).toBe(1);
  for (let round = 0; round < 100 && listeners > 0; round += 1) {
    publish('x'.repeat(100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(listeners).toBe(0);
  response.resume();
  await closed;
});
