import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ControlUnreachable } from '../../../src/client/control-errors';
import { RegistryMissing } from '../../../src/client/registry-reader';
import { createApp } from '../../../src/web/app';
import type { WebDependencies } from '../../../src/web/dependencies';
import { listen } from '../../../src/web/web-process';
import type { TestApi } from './support';
import { dependencies, startApi, TOKEN } from './support';

let api: TestApi | null = null;
afterEach(async () => {
  await api?.close();
  api = null;
});

async function ask(over: Partial<WebDependencies>, ...args: Parameters<TestApi['ask']>) {
  await api?.close();
  api = await startApi(over);
  return await api.ask(...args);
}

const emptyList: Partial<WebDependencies> = {
  tickets: {
    ...dependencies().tickets,
    list: () => Promise.resolve({ items: [], nextCursor: null }),
  },
};
const exposed = { web: { host: '192.0.2.1', token: TOKEN, tokenFile: '/data/run/token' } };

describe('who may ask', () => {
  it.each([
    ['reading on loopback', emptyList, 'GET', null, 200],
    ['reading on another address', { ...emptyList, ...exposed }, 'GET', null, 401],
    ['reading on another address with the token', { ...emptyList, ...exposed }, 'GET', TOKEN, 200],
    ['writing on loopback', {}, 'POST', null, 401],
    ['writing with a wrong token', {}, 'POST', 'wrong', 401],
    ['writing with a token that begins right', {}, 'POST', TOKEN.slice(0, -1), 401],
  ] as const)('%s: %#', async (_name, over, method, token, status) => {
    const answer = await ask(over, method, '/api/v1/tickets', { token });
    expect(answer.status).toBe(status);
    if (status !== 401) return;
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(answer.body).toMatchObject({
      status: 401,
      detail: expect.stringContaining('/data/run/token') as string,
    });
  });

  it('/health is free for everyone, /metrics and /ready are not on another address', async () => {
    expect(await ask(exposed, 'GET', '/health', { token: null })).toMatchObject({
      status: 200,
      body: { status: 'ok' },
    });
    expect((await ask(exposed, 'GET', '/metrics', { token: null })).status).toBe(401);
    expect((await ask(exposed, 'GET', '/ready', { token: null })).status).toBe(401);
  });

  it.each([
    ['evil.example', '127.0.0.1', 421],
    ['evil.example:8000', '127.0.0.1', 421],
    ['127.0.0.1.evil.example', '127.0.0.1', 421],
    ['user@127.0.0.1@evil.example', '127.0.0.1', 421],
    ['localhost', '127.0.0.1', 200],
    ['LOCALHOST:1', '127.0.0.1', 200],
    ['[::1]:8000', '127.0.0.1', 200],
    ['127.9.9.9', '127.0.0.1', 200],
    ['box.lan:8000', 'box.lan', 200],
    ['anything', '0.0.0.0', 200],
  ])('Host %j with web.host %s: %d', async (host, configured, expected) => {
    const web = { host: configured, token: TOKEN, tokenFile: 'f' };
    const server = await listen(createApp(dependencies({ ...emptyList, web })), {
      host: '127.0.0.1',
      port: 0,
    });
    const status = await new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const headers = { host, authorization: `Bearer ${TOKEN}` };
      const sent = request(
        { host: '127.0.0.1', port, path: '/api/v1/tickets', headers, agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode);
        },
      );
      sent.on('error', reject);
      sent.end();
    });
    await new Promise((resolve) => server.close(resolve));
    expect(status).toBe(expected);
  });

  it('a request that a foreign page caused is refused, one of our own page is not', async () => {
    const foreign = { headers: { origin: 'https://evil.example' } };
    expect((await ask(emptyList, 'GET', '/api/v1/tickets', foreign)).status).toBe(403);
    expect((await ask(emptyList, 'GET', '/api/v1/tickets', { headers: { origin: 'null' } })).status).toBe(
      403,
    );
    const own = { headers: { origin: 'http://localhost:8000' } };
    expect((await ask(emptyList, 'GET', '/api/v1/tickets', own)).status).toBe(200);
  });

  it('too many requests: 429 with Retry-After', async () => {
    api = await startApi({ ...emptyList, web: { ...dependencies().web, requestLimit: 2 } });
    const statuses: number[] = [];
    for (let count = 0; count < 3; count += 1)
      statuses.push((await api.ask('GET', '/api/v1/tickets')).status);
    expect(statuses).toEqual([200, 200, 429]);
    expect((await api.ask('GET', '/api/v1/tickets')).headers.get('retry-after')).not.toBeNull();
  });
});

describe('what goes wrong', () => {
  const failing = (error: Error): Partial<WebDependencies> => ({
    tickets: { ...dependencies().tickets, list: () => Promise.reject(error) },
  });
  const grpc = (code: number) =>
    new Error('outer', {
      cause: Object.assign(new Error('inner'), { code, details: 'x', metadata: { get: () => [] } }),
    });

  it.each([
    ['no supervisor', new ControlUnreachable('/s', 'ENOENT', false), 503, '5'],
    ['no registry', new RegistryMissing('start the monitor'), 503, '5'],
    ['Temporal unavailable', grpc(14), 503, '2'],
    ['Temporal too slow', grpc(4), 503, '2'],
  ])('%s: 503 with Retry-After', async (_name, error, status, retryAfter) => {
    const answer = await ask(failing(error), 'GET', '/api/v1/tickets');
    expect(answer).toMatchObject({ status, body: { status } });
    expect(answer.headers.get('retry-after')).toBe(retryAfter);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
  });

  it('an unforeseen error: 500 without its inside, logged redacted under the request ID', async () => {
    const logged: unknown[] = [];
    const log = { ...dependencies().log, error: (entry: unknown) => void logged.push(entry) };
    const over = { ...failing(new Error('leak hunter2')), log: log as WebDependencies['log'] };
    const answer = await ask(over, 'GET', '/api/v1/tickets', { headers: { 'x-request-id': 'mine' } });
    expect(answer).toMatchObject({
      status: 500,
      body: { detail: expect.stringContaining('mine') as string },
    });
    expect(JSON.stringify(answer.body)).not.toContain('leak');
    expect(logged).toMatchObject([
      { requestId: 'mine', error: expect.stringContaining('leak [redacted]') as string },
    ]);
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/api/v1/nothing', 404],
    ['PUT', '/api/v1/tickets', 404],
    ['GET', '/api/v1/tickets/%E0%A4%A', 400],
    ['POST', '/api/v1/services/api/explode', 404],
  ])('%s %s: %d as a problem document', async (method, path, status) => {
    const answer = await ask({}, method, path);
    expect(answer).toMatchObject({ status, body: { type: 'about:blank', status } });
  });

  it.each([
    ['malformed JSON', { raw: '{"text":' }, 400],
    ['more than 64 KiB', { raw: JSON.stringify({ text: 'x'.repeat(66_000) }) }, 413],
    ['another content type', { raw: 'text=x', headers: { 'content-type': 'text/plain' } }, 415],
    ['an unknown key', { body: { text: 'x', txt: 'y' } }, 422],
    ['no text', { body: {} }, 422],
    ['a list', { body: [] }, 422],
  ])('a body with %s: %#', async (_name, options, status) => {
    const answer = await ask({}, 'POST', '/api/v1/tickets/T1/notes', options);
    expect(answer).toMatchObject({ status, body: { status } });
    if (_name === 'an unknown key') expect(answer.body).toMatchObject({ detail: 'unknown key "txt"' });
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=x', 'limit'],
    ['limit=201', 'limit'],
    ['status=broken', 'status'],
    ['stauts=open', '"stauts"'],
  ])('query %s: 400 naming it', async (query, named) => {
    const answer = await ask({}, 'GET', `/api/v1/tickets?${query}`);
    expect(answer).toMatchObject({ status: 400, body: { detail: expect.stringContaining(named) as string } });
  });
});

it('every answer carries a request ID and the headers of a server that is careful', async () => {
  const { headers } = await ask(emptyList, 'GET', '/api/v1/tickets');
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toContain("default-src 'self'");
  expect(headers.get('x-powered-by')).toBeNull();
});
