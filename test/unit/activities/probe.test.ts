import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:https';
import { createProbe } from '../../../src/activities/probe';
import { describeProbeError, ProbeCouldNotRun } from '../../../src/activities/probe-error';
import type { CheckResult } from '../../../src/domain/check';
import type { InvariantDefinition } from '../../../src/domain/invariant';
import { definition, T0 } from '../../support/invariants';
import { SELF_SIGNED } from '../../support/self-signed';

const probe = createProbe({
  now: () => new Date(T0),
  resolveSecret: (value) => {
    if (value.includes('MISSING')) throw new Error('MISSING is not set');
    return value.replace('${env:TOKEN}', 'opensesame');
  },
  redact: (text) => text.replaceAll('hunter2', '[redacted]'),
});
const signal = new AbortController().signal;

const open: Server[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const close = server.close.bind(server);
  server.close = (done) => {
    sockets.forEach((socket) => socket.destroy());
    return close(done);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

const http = (listener: RequestListener): Promise<number> => listen(createServer(listener));
const raw = (answer: string): Promise<number> =>
  listen(
    createTcpServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end(answer))),
  );

function run(over: Partial<InvariantDefinition>, timeoutMs = 1_000): Promise<CheckResult> {
  return probe({ definition: definition('a', over), revision: 7 }, { timeoutMs, signal });
}
const get = (
  port: number,
  over: Partial<InvariantDefinition> = {},
  timeoutMs = 1_000,
): Promise<CheckResult> => run({ query: `http://127.0.0.1:${port}/health`, ...over }, timeoutMs);

describe('http', () => {
  it('200: ok, with scalars only', async () => {
    const port = await http((_request, response) => response.end('secret body'));
    const result = await get(port);
    expect(result).toMatchObject({ invariantId: 'a', revision: 7, at: T0, ok: true, error: null });
    expect(result.resolved).toEqual({ connected: true, status: 200, latency_ms: result.latencyMs });
    expect(result.latencyMs * 10).toBe(Math.round(result.latencyMs * 10));
  });

  it('503: fails with the condition and the status', async () => {
    const port = await http((_request, response) => response.writeHead(503).end());
    expect(await get(port)).toMatchObject({
      ok: false,
      error: 'status == 200 is false (status 503)',
      resolved: { status: 503, connected: true },
    });
  });

  it('refused: the error as the system says it', async () => {
    const port = await http(() => undefined);
    await new Promise((resolve) => open.pop()?.close(resolve));
    const result = await get(port);
    expect(result).toMatchObject({ ok: false, error: `connect ECONNREFUSED 127.0.0.1:${port}` });
    expect(result.resolved).toMatchObject({ connected: false, error: result.error });
  });

  it.each([
    ['before the head', (): RequestListener => () => undefined],
    ['in the middle of the body', (): RequestListener => (_request, response) => response.write('{"half":')],
  ])('hangs %s: one time-out covers everything', async (_name, listener) => {
    const port = await http(listener());
    const startedAt = performance.now();
    const result = await get(port, {}, 150);
    expect(result).toMatchObject({
      ok: false,
      error: 'no answer within 150 ms',
      resolved: { connected: true },
    });
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  });

  it('drips a byte now and then: still ends in time', async () => {
    const port = await http((_request, response) => {
      const timer = setInterval(() => response.write('.'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await get(port, {}, 150)).toMatchObject({ ok: false, error: 'no answer within 150 ms' });
  });

  it('reset: data, not a crash', async () => {
    const port = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.resetAndDestroy())),
    );
    const result = await get(port);
    expect(result.ok).toBe(false);
    expect(result.error).toMatch(/ECONNRESET|socket hang up/);
  });

  it.each([
    ['an invalid header', 'HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n', /Parse Error/],
    ['not HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n', /Parse Error/],
    ['nothing', '', /socket hang up/],
    ['less than it promised', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort', /aborted/],
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n', /./],
  ])('answers %s: fails with a reason', async (_name, answer, error) => {
    const result = await get(await raw(answer));
    expect(result.ok).toBe(false);
    expect(result.error).toMatch(error);
  });

  it('a body without end is read up to 64 KiB and never stored', async () => {
    const port = await http((_request, response) => {
      const pump = (): void => {
        while (response.writable && response.write('x'.repeat(16_384)));
        response.once('drain', pump);
      };
      pump();
    });
    const result = await get(port, { condition: 'size(body) == 65536 && json == null' });
    expect(result).toMatchObject({ ok: true });
    expect(JSON.stringify(result).length).toBeLessThan(500);
  });

  it('json and headers reach the condition', async () => {
    const port = await http((_request, response) =>
      response.setHeader('x-version', '7').end(JSON.stringify({ ok: true, queue: 3 })),
    );
    expect(await get(port, { condition: 'json.queue < 5 && headers["x-version"] == "7"' })).toMatchObject({
      ok: true,
    });
    expect((await get(port, { condition: 'json.queue > 5' })).error).toContain('json.queue > 5 is false');
  });

  it('every probe opens a connection of its own', async () => {
    let connections = 0;
    const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => response.end());
    server.on('connection', () => (connections += 1));
    const port = await listen(server);
    await get(port);
    await get(port);
    expect(connections).toBe(2);
  });

  it('sends method, headers with secrets resolved, and body', async () => {
    const port = await http((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => response.end(`${request.method} ${request.headers.authorization} ${body}`));
    });
    const request = {
      method: 'POST',
      headers: { authorization: 'Bearer ${env:TOKEN}' },
      body: 'ping',
      followRedirects: 0,
    };
    expect(await get(port, { request, condition: 'body == "POST Bearer opensesame ping"' })).toMatchObject({
      ok: true,
    });
  });

  it('a secret that is not set: fails with its name, nothing is sent', async () => {
    let requests = 0;
    const port = await http((_request, response) => response.end(String((requests += 1))));
    const request = { method: 'GET', headers: { a: '${env:MISSING}' }, body: null, followRedirects: 0 };
    expect(await get(port, { request })).toMatchObject({ ok: false, error: 'MISSING is not set' });
    expect(requests).toBe(0);
  });

  it('errors are redacted', async () => {
    const result = await run({ query: 'nonsense://user:hunter2@host' });
    expect(result).toMatchObject({ ok: false });
    expect(result.error).toContain('nonsense://user:[redacted]@host');
  });

  it('a certificate nobody signed is refused', async () => {
    const port = await listen(createTlsServer(SELF_SIGNED, (_request, response) => response.end()));
    const result = await get(port, { query: `https://127.0.0.1:${port}/` });
    expect(result.ok).toBe(false);
    expect(result.error).toMatch(/self-signed certificate/);
  });
});

describe('redirects', () => {
  const redirecting = (): Promise<number> =>
    http((request, response) => {
      if (request.url === '/end') response.end('there');
      else if (request.url === '/ftp') response.writeHead(302, { location: 'ftp://x/' }).end();
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.writeHead(302, { location: '/end' }).end();
    });
  const follow = (followRedirects: number) => ({
    request: { method: 'GET', headers: {}, body: null, followRedirects },
  });

  it.each([
    [0, '/health', 302, null],
    [1, '/health', 200, null],
    [3, '/loop', 302, null],
    [1, '/ftp', 302, 'redirected to "ftp://x/", which is not http(s)'],
  ])('followed %d times from %s: status %d', async (times, path, status, error) => {
    const port = await redirecting();
    const result = await get(port, {
      ...follow(times),
      query: `http://127.0.0.1:${port}${path}`,
      condition: `status == ${status}`,
    });
    expect(result).toMatchObject({ ok: error === null, error });
  });

  it('credentials are not carried to another origin', async () => {
    const other = await http((request, response) =>
      response.end(`got ${request.headers.authorization ?? 'nothing'}`),
    );
    const port = await http((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${other}/` }).end(),
    );
    const request = { method: 'GET', headers: { authorization: 'x' }, body: null, followRedirects: 1 };
    expect(await get(port, { request, condition: 'body == "got nothing"' })).toMatchObject({ ok: true });
  });
});

describe('latency', () => {
  it('value is the time the answer took', async () => {
    const port = await http((_request, response) => setTimeout(() => response.end(), 80));
    const over = { query: `latency:http://127.0.0.1:${port}/`, condition: '< 50' };
    const slow = await run(over);
    expect(slow.ok).toBe(false);
    expect(slow.error).toMatch(/^< 50 is false \(value \d+(\.\d)?\)$/);
    expect(slow.resolved['value']).toBe(slow.latencyMs);
    expect(await run({ ...over, condition: '< 900' })).toMatchObject({ ok: true });
  });

  it('a refused connection is quick, and fails all the same', async () => {
    const result = await run({ query: 'latency:http://127.0.0.1:1/', condition: '< 900' });
    expect(result).toMatchObject({ ok: false, error: 'connect ECONNREFUSED 127.0.0.1:1' });
  });
});

describe('tcp', () => {
  it('connected: value 1', async () => {
    const port = await listen(createTcpServer((socket) => socket.on('error', () => undefined)));
    const result = await run({ query: `tcp://127.0.0.1:${port}`, condition: 'connected && value == 1' });
    expect(result).toMatchObject({ ok: true, resolved: { connected: true, value: 1 } });
  });

  it('refused: value 0 and the reason', async () => {
    const result = await run({ query: 'tcp://127.0.0.1:1', condition: 'connected' });
    expect(result).toMatchObject({
      ok: false,
      error: 'connect ECONNREFUSED 127.0.0.1:1',
      resolved: { connected: false, value: 0 },
    });
  });

  it('a port that must be closed can be asked for', async () => {
    expect(await run({ query: 'tcp://127.0.0.1:1', condition: '!connected' })).toMatchObject({ ok: true });
  });
});

it('a condition that got past everybody else fails the check and names itself', async () => {
  expect(await run({ condition: 'nonsense ==' })).toMatchObject({
    ok: false,
    error: expect.stringContaining('condition "nonsense ==" cannot be used') as string,
  });
});

it('a cancelled probe rejects with the reason and ends its connection', async () => {
  let isClosed = false;
  const port = await http((request) => request.socket.once('close', () => (isClosed = true)));
  const abort = new AbortController();
  const running = probe(
    { definition: definition('a', { query: `http://127.0.0.1:${port}/` }), revision: 1 },
    { timeoutMs: 5_000, signal: abort.signal },
  );
  setTimeout(() => abort.abort(new Error('enough')), 30);
  await expect(running).rejects.toThrow('enough');
  for (let tries = 0; tries < 50 && !isClosed; tries += 1)
    await new Promise((resolve) => setTimeout(resolve, 10));
  expect(isClosed).toBe(true);
});

describe('what is about this machine is no verdict about the service', () => {
  const error = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });
  it.each(['EMFILE', 'ENFILE', 'ENOBUFS', 'EADDRNOTAVAIL'])('%s', (code) => {
    expect(() => describeProbeError(error(code))).toThrow(ProbeCouldNotRun);
    expect(() => describeProbeError(new AggregateError([error(code)]))).toThrow(ProbeCouldNotRun);
  });
  it.each(['ECONNREFUSED', 'EHOSTUNREACH', 'ENOTFOUND'])('%s is data', (code) => {
    expect(describeProbeError(new AggregateError([error(code), error(code)]))).toBe(`connect ${code}`);
  });
});

describe('who answered', () => {
  const stranger = { pid: 4711, command: 'python3 -m http.server', user: 'ana', startedAt: null };
  const asked: string[] = [];
  const answeredBy = (ours: boolean | null, query: string, condition = 'status == 200') =>
    probe(
      { definition: definition('a', { query, condition, service: 'limiter' }), revision: 1 },
      {
        timeoutMs: 1_000,
        signal,
        ownerOf: ({ ip, port }) => {
          asked.push(`${ip} ${port}`);
          return ours === null ? null : { ...stranger, port, ours };
        },
      },
    );
  beforeEach(() => asked.splice(0));

  it.each([200, 404])('a stranger that answers %d: fails, and he is named', async (status) => {
    const port = await http((_request, response) => response.writeHead(status).end());
    const check = await answeredBy(false, `http://localhost:${port}/`);
    expect(check).toMatchObject({
      ok: false,
      error: `port ${port} is answered by pid 4711 (python3 -m http.server), not by limiter`,
      resolved: { status, owner_pid: 4711 },
    });
    expect(asked).toEqual([`127.0.0.1 ${port}`]);
  });

  it.each([true, null])('ours, or not known (%s): the answer counts', async (ours) => {
    const port = await http((_request, response) => response.end());
    const check = await answeredBy(ours, `http://127.0.0.1:${port}/`);
    expect(check).toMatchObject({ ok: true, error: null });
    expect(check.resolved['owner_pid']).toBe(ours ? 4711 : undefined);
  });

  it.each([
    ['tcp', (port: number) => `tcp://127.0.0.1:${port}`, 'connected'],
    ['a stranger that speaks no TLS', (port: number) => `https://127.0.0.1:${port}/`, 'status == 200'],
    ['latency', (port: number) => `latency:http://127.0.0.1:${port}/`, 'value < 1000.0'],
  ])('%s: asked as well', async (_name, query, condition) => {
    const port = await http((_request, response) => response.end());
    const check = await answeredBy(false, query(port), condition);
    expect(check).toMatchObject({ ok: false, resolved: { owner_pid: 4711 } });
  });

  it('a redirect to another port: the first one is asked about', async () => {
    const target = await http((_request, response) => response.end());
    const port = await http((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${target}/` }).end(),
    );
    const request = { ...definition('a').request, followRedirects: 1 };
    await probe(
      { definition: definition('a', { query: `http://127.0.0.1:${port}/`, request }), revision: 1 },
      { timeoutMs: 1_000, signal, ownerOf: (remote) => (asked.push(String(remote.port)), null) },
    );
    expect(asked).toEqual([String(port)]);
  });

  it('nobody answered: nobody is asked about', async () => {
    expect(await answeredBy(false, 'http://127.0.0.1:1/')).toMatchObject({
      error: 'connect ECONNREFUSED 127.0.0.1:1',
    });
    expect(asked).toEqual([]);
  });
});
