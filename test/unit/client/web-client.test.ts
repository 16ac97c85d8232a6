import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WebClientOptions } from '../../../src/client/web-client';
import { createWebClient, webClientFor } from '../../../src/client/web-client';
import { paths } from '../../../src/config/paths';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let dataDir: string;
let servers: Server[] = [];
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'harness-web-client-'));
});
afterEach(async () => {
  for (const server of servers) await stop(server);
  servers = [];
  rmSync(dataDir, { recursive: true, force: true });
});

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function serve(handler: Handler): Promise<string> {
  const listening = createServer(handler);
  servers.push(listening);
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
}

function clientOf(webUrl: string | null, options: Partial<WebClientOptions> = {}) {
  const findEndpoints = () => Promise.resolve({ webUrl, supervisorPid: process.pid });
  return createWebClient({ dataDir, findEndpoints, ...options });
}

function writeToken(token: string): void {
  mkdirSync(paths.run(dataDir), { recursive: true });
  writeFileSync(paths.token(dataDir), `${token}\n`);
}

const json =
  (status: number, body: unknown): Handler =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };

/** A port that was free a moment ago. */
async function closedUrl(): Promise<string> {
  const url = await serve(json(200, {}));
  for (const server of servers.splice(0)) await stop(server);
  return url;
}

test('path, query and JSON body go over the wire; the answer comes back parsed', async () => {
  const seen: { url?: string | undefined; method?: string | undefined; body?: string } = {};
  const url = await serve((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      Object.assign(seen, { url: request.url, method: request.method, body });
      json(201, { id: 'x' })(request, response);
    });
  });
  const answer = await clientOf(url).request('/api/v1/things', {
    method: 'POST',
    query: { a: '1 2', b: undefined },
    body: { c: 3 },
  });
  expect(answer).toEqual({ status: 201, body: { id: 'x' } });
  expect(seen).toEqual({ url: '/api/v1/things?a=1+2', method: 'POST', body: '{"c":3}' });
});

describe('the token', () => {
  async function authorizationOf(
    options: Partial<WebClientOptions>,
    method: 'GET' | 'POST',
  ): Promise<string | undefined> {
    let sent: string | undefined;
    const url = await serve((request, response) => {
      sent = request.headers.authorization;
      json(200, {})(request, response);
    });
    await clientOf(url, options).request('/x', { method });
    return sent;
  }

  test('of the run goes with a writing call, not with a reading one', async () => {
    writeToken('from-file');
    expect(await authorizationOf({}, 'POST')).toBe('Bearer from-file');
    expect(await authorizationOf({}, 'GET')).toBeUndefined();
  });

  test('given by the person wins over the file', async () => {
    writeToken('from-file');
    expect(await authorizationOf({ token: 'given' }, 'POST')).toBe('Bearer given');
  });

  test('goes with reading calls too when others than this machine can ask', async () => {
    expect(await authorizationOf({ token: 'given', readsNeedToken: true }, 'GET')).toBe('Bearer given');
  });

  test('that does not exist is not sent; the server then says what is missing', async () => {
    expect(await authorizationOf({}, 'POST')).toBeUndefined();
  });
});

describe('failures', () => {
  test.each([
    [
      'problem details',
      json(404, { type: 'about:blank', title: 'Not found', status: 404, detail: 'There is no x.' }),
      { name: 'WebProblem', status: 404, message: 'Not found: There is no x.' },
    ],
    [
      'other JSON',
      json(500, ['?']),
      { name: 'WebProblem', status: 500, message: 'the web process answered 500' },
    ],
    [
      'a page of another program',
      (_: IncomingMessage, response: ServerResponse) => response.end('<html>'),
      {
        name: 'WebProblem',
        status: 200,
        message: expect.stringContaining("another program's port") as string,
      },
    ],
    [
      'a redirect is not followed',
      (_: IncomingMessage, response: ServerResponse) =>
        response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
      { name: 'WebUnreachable' },
    ],
    [
      'a connection that breaks',
      (request: IncomingMessage) => request.socket.destroy(),
      { name: 'WebUnreachable', message: expect.stringContaining('does not answer') as string },
    ],
  ] as [string, Handler, object][])('%s', async (_name, handler, expected) => {
    const url = await serve(handler);
    await expect(clientOf(url).request('/x')).rejects.toMatchObject(expected);
  });

  test('a status that the caller awaits is an answer', async () => {
    const url = await serve(json(503, { status: 'down' }));
    const answer = await clientOf(url).request('/ready', { answers: [503] });
    expect(answer).toEqual({ status: 503, body: { status: 'down' } });
  });

  test('no answer in time says how long it waited', async () => {
    const url = await serve(() => undefined);
    await expect(clientOf(url).request('/slow', { timeoutMs: 50 })).rejects.toMatchObject({
      name: 'WebTimeout',
      message: `GET ${url}/slow gave no answer within 0.05 s; see \`harness status\``,
    });
  });

  test('no endpoints: no harness is running, and the command to type', async () => {
    const client = createWebClient({ dataDir, findEndpoints: () => Promise.resolve(null) });
    await expect(client.request('/x')).rejects.toMatchObject({
      name: 'WebUnreachable',
      message: `no harness is running for ${dataDir}; start it with \`npx harness run\``,
    });
  });

  test('endpoints of a harness that was killed: no harness is running', async () => {
    const webUrl = await closedUrl();
    // The largest pid Linux can have, plus one.
    const findEndpoints = () => Promise.resolve({ webUrl, supervisorPid: 4_194_305 });
    await expect(createWebClient({ dataDir, findEndpoints }).request('/x')).rejects.toThrow(
      'no harness is running for',
    );
  });

  test('a harness without its web process: not "no harness"', async () => {
    await expect(clientOf(await closedUrl()).request('/x')).rejects.toThrow(
      /the web process of the harness for .* does not answer on http:.*ECONNREFUSED/,
    );
    await expect(clientOf(null).request('/x')).rejects.toThrow('does not answer on any port');
  });

  test('the endpoints file of the data directory is what counts', async () => {
    const config = { dataDir, web: { host: '127.0.0.1', port: 1 } };
    await expect(webClientFor(config).request('/x')).rejects.toThrow(`no harness is running for ${dataDir}`);
  });
});
