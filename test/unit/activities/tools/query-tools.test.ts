import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LogTailOptions } from '../../../../src/client/log-reader';
import { callTool, makeDeps, makeService, makeTempDirs } from '../../../support/tool-deps';

const dataDir = makeTempDirs()();

describe('query_logs', () => {
  const asked: { service: string; options: LogTailOptions }[] = [];
  const deps = makeDeps(dataDir, {
    services: [makeService(dataDir, { dependsOn: ['cache'] }), makeService(dataDir, { name: 'cache' })],
    readLogs: (_dir, service, options) => {
      asked.push({ service, options });
      const line = { at: '2026-01-01T00:00:29.000Z', stream: 'stdout' as const, pid: 1 };
      return Promise.resolve({ lines: [{ ...line, line: 'token=swordfish-0001 ok' }], truncated: true });
    },
  });

  it.each<[Parameters<typeof callTool>[2], string, LogTailOptions]>([
    [{}, 'limiter', { limit: 100 }],
    [{ service: 'cache', limit: 5 }, 'cache', { limit: 5 }],
    [{ contains: 'error' }, 'limiter', { limit: 100, contains: 'error' }],
    [{ since: '30s' }, 'limiter', { limit: 100, sinceIso: '2026-01-01T00:00:30.000Z' }],
    [{ since: '2026-01-01T01:00:00+01:00' }, 'limiter', { limit: 100, sinceIso: '2026-01-01T00:00:00.000Z' }],
  ])('%j asks for the right lines', async (input, service, options) => {
    asked.length = 0;
    const result = await callTool(deps, 'query_logs', input);
    expect(asked).toEqual([{ service, options }]);
    expect(result).toMatchObject({ isError: false, data: { service, lines: 1, truncated: true } });
    expect(result.content).not.toContain('swordfish');
  });

  it.each([
    [{ since: 'yesterday' }, 'neither a duration'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 1_000 }, 'limit'],
    [{ grep: 'x' }, 'grep'],
    [{ service: 'stranger' }, '"limiter"'],
  ])('%j is refused, naming %s', async (input, words) => {
    const result = await callTool(deps, 'query_logs', input);
    expect(result.isError).toBe(true);
    expect(result.content).toContain(words);
  });
});

describe('query_metrics', () => {
  const servers: Server[] = [];
  afterAll(() => servers.forEach((server) => (server.closeAllConnections(), server.close())));

  async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void) {
    const server = createServer(answer);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
    return makeDeps(dataDir, { services: [makeService(dataDir, { metricsUrl: url })] });
  }
  const PAGE = '# HELP a_total of a\n# TYPE a_total counter\na_total 1\nb_total{x="1"} 2\n';

  it('shows samples without comments, filtered by name', async () => {
    const deps = await serve((_request, response) => response.end(PAGE));
    const all = await callTool(deps, 'query_metrics', {});
    expect(all.content.split('\n').slice(1)).toEqual(['a_total 1', 'b_total{x="1"} 2']);
    const some = await callTool(deps, 'query_metrics', { name_contains: 'b_' });
    expect(some.data).toEqual({ service: 'limiter', samples: 1, truncated: false });
  });

  it('a redirect is not followed', async () => {
    let visited = 0;
    const target = await serve((_request, response) => {
      visited += 1;
      response.end('stolen 1\n');
    });
    const url = target.services[0]?.metricsUrl ?? '';
    const deps = await serve((_request, response) => response.writeHead(302, { location: url }).end());
    const result = await callTool(deps, 'query_metrics', {});
    expect(result.isError).toBe(true);
    expect(result.content).not.toContain('stolen');
    expect(visited).toBe(0);
    // Positive control: the target does answer when it is asked itself.
    expect((await callTool(target, 'query_metrics', {})).content).toContain('stolen 1');
  });

  it.each<[string, (request: IncomingMessage, response: ServerResponse) => void, string]>([
    ['a status that is no success', (_request, response) => response.writeHead(503).end(), 'answered 503'],
    [
      'a page above 1 MiB',
      (_request, response) => response.end('a 1\n'.repeat(300_000)),
      'more than 1048576',
    ],
    ['a connection that is cut', (request) => request.socket.destroy(), 'cannot be read'],
    ['a service that does not answer', () => undefined, 'no answer within 2000 ms'],
  ])('%s is an error that names the reason', async (_what, answer, words) => {
    const result = await callTool(await serve(answer), 'query_metrics', {});
    expect(result.isError).toBe(true);
    expect(result.content).toContain(words);
  });

  it('a service without metrics_url says so', async () => {
    const result = await callTool(makeDeps(dataDir), 'query_metrics', {});
    expect(result.content).toContain('no metrics_url');
  });
});
