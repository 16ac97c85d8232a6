import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlClient, followControl } from '../../../src/client/control-client';
import type { ControlSnapshot, ServiceEvent, ServiceStatus } from '../../../src/domain/service-state';

let dir: string;
let socket: string;
let servers: Server[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'harness-client-'));
  socket = join(dir, 'control.sock');
});
afterEach(async () => {
  await Promise.all(servers.map(stop));
  servers = [];
  rmSync(dir, { recursive: true, force: true });
});

const stop = (server: Server): Promise<unknown> => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  return closed;
};
async function serve(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return server;
}

const service: ServiceStatus = {
  name: 'svc',
  state: 'running',
  pid: 7,
  startedAt: '2026-01-01T00:00:00.000Z',
  exit: null,
  restarts: 0,
  ready: true,
  desired: 'running',
};
const snapshot: ControlSnapshot = { services: [service], components: [] };
const event = (seq: number): ServiceEvent => ({ seq, at: '', kind: 'exited', asked: false, service });

describe('createControlClient', () => {
  const act = () => createControlClient(socket).act({ service: 'svc', action: 'start', by: 'person' });

  test('nobody listens: unreachable, nothing was sent, names the socket and the way out', async () => {
    const error = {
      name: 'ControlUnreachable',
      wasSent: false,
      message: expect.stringMatching(/control\.sock .*harness run/) as unknown,
    };
    await expect(createControlClient(socket).snapshot()).rejects.toMatchObject(error);
    await expect(act()).rejects.toMatchObject(error);
  });

  test('the supervisor dies in the middle: unreachable, and it may have been done', async () => {
    await serve((request) => request.socket.destroy());
    await expect(act()).rejects.toMatchObject({ name: 'ControlUnreachable', wasSent: true });
  });

  test('an answer cut off in its body: it may have been done', async () => {
    await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('{"outcome":');
      setImmediate(() => response.destroy());
    });
    await expect(act()).rejects.toMatchObject({ name: 'ControlUnreachable', wasSent: true });
  });

  test('an answer that is none: it may have been done', async () => {
    await serve((_request, response) => response.end('{"outcome":"great"}'));
    await expect(act()).rejects.toMatchObject({
      name: 'ControlUnreachable',
      wasSent: true,
      message: expect.stringContaining('makes no sense') as unknown,
    });
  });

  test.each([400, 404, 500, 503])('status %i: refused, with the reason', async (status) => {
    await serve((_request, response) => response.writeHead(status).end('{"error":"because"}'));
    await expect(act()).rejects.toMatchObject({ name: 'ControlRefused', status, message: 'because' });
  });

  test('what goes over the wire', async () => {
    const seen: unknown[] = [];
    await serve((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        seen.push(request.method, request.url, JSON.parse(body));
        response.end(JSON.stringify({ outcome: 'noop', service, message: 'm', lastLines: [] }));
      });
    });
    const client = createControlClient(socket);
    await client.act({
      service: 'a/b',
      action: 'restart',
      by: 'ticket:t',
      expect: { pid: 7, startedAt: 's' },
    });
    await client.act({ service: 'svc', action: 'stop', by: 'person' });
    expect(seen).toEqual([
      'POST',
      '/services/a%2Fb/restart',
      { by: 'ticket:t', expect: { pid: 7, startedAt: 's' } },
      'POST',
      '/services/svc/stop',
      { by: 'person' },
    ]);
  });
});

describe('followControl', () => {
  /** Follows until `enough` of what was told has come. */
  function follow(
    enough: (told: readonly string[]) => boolean,
    onTold: (what: string) => unknown = () => undefined,
  ) {
    const told: string[] = [];
    const done = new AbortController();
    const tell = (what: string): void => {
      told.push(what);
      void onTold(what);
      if (enough(told)) done.abort();
    };
    const follower = {
      onSnapshot: (state: ControlSnapshot) => tell(`snapshot ${state.services.length}`),
      onEvent: ({ seq }: ServiceEvent) => tell(`event ${seq}`),
      onDown: ({ name }: Error) => tell(`down ${name}`),
    };
    return followControl(socket, follower, done.signal).then(() => told);
  }
  const lines = (...entries: readonly object[]): string =>
    entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

  test('snapshot, then events; pings are not told', async () => {
    await serve((_request, response) => {
      response.write(
        lines(
          { type: 'snapshot', snapshot },
          { type: 'ping' },
          { type: 'event', event: event(1) },
          { type: 'event', event: event(2) },
        ),
      );
    });
    expect(await follow((told) => told.length === 3)).toEqual(['snapshot 1', 'event 1', 'event 2']);
  });

  test('an event cut in two arrives whole', async () => {
    const text = lines({ type: 'snapshot', snapshot }, { type: 'event', event: event(1) });
    await serve((_request, response) => {
      response.write(text.slice(0, -40));
      setTimeout(() => response.write(text.slice(-40)), 20);
    });
    expect(await follow((told) => told.length === 2)).toEqual(['snapshot 1', 'event 1']);
  });

  test('the supervisor goes and comes back: down once, then a new snapshot and events', async () => {
    const first = await serve((_request, response) => response.write(lines({ type: 'snapshot', snapshot })));
    const told = await follow(
      (all) => all.includes('event 9'),
      async (what) => {
        if (what === 'snapshot 1') await stop(first);
        if (what.startsWith('down')) {
          await new Promise((resolve) => setTimeout(resolve, 400));
          await serve((_request, response) => {
            response.write(
              lines(
                { type: 'snapshot', snapshot: { services: [], components: [] } },
                { type: 'event', event: event(9) },
              ),
            );
          });
        }
      },
    );
    expect(told).toEqual(['snapshot 1', 'down ControlUnreachable', 'snapshot 0', 'event 9']);
  });

  test.each([
    ['text that is no JSON', 'garbage\n'],
    ['a line of another shape', '{"type":"snapshot","snapshot":{}}\n'],
  ])('%s: down, not an event', async (_name, text) => {
    await serve((_request, response) => response.end(text));
    expect(await follow((told) => told.length === 1)).toEqual([expect.stringMatching(/^down /)]);
  });

  test('a signal that is aborted ends it, also while nobody listens', async () => {
    expect(await follow((told) => told.length === 1)).toEqual(['down ControlUnreachable']);
  });
});
