import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readMonitorSamples } from '../../../src/client/monitor-samples';
import { check } from '../../support/invariants';

let server: Server | null = null;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  server = null;
});

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

it('samples by invariant, with the time and the trouble of the last sweep', async () => {
  const items = { a: [check('a')] };
  const url = await serve((request, response) => {
    response.statusCode = request.url === '/samples' ? 200 : 404;
    response.end(JSON.stringify({ items, last_sweep_at: 't', last_error: 'no sockets' }));
  });
  expect(await readMonitorSamples(url)).toEqual({ items, lastSweepAt: 't', lastError: 'no sockets' });
});

it.each<[string, RequestListener]>([
  ['an error', (_request, response) => void response.writeHead(500).end('{}')],
  ['no JSON', (_request, response) => void response.end('hello')],
  ['JSON of another kind', (_request, response) => void response.end('{"items":[]}')],
  ['nothing in time', () => undefined],
])('%s: no samples, no exception', async (_name, listener) => {
  expect(await readMonitorSamples(await serve(listener), 200)).toBeNull();
});

it('no monitor: no samples', async () => {
  expect(await readMonitorSamples(null)).toBeNull();
  expect(await readMonitorSamples('http://127.0.0.1:1')).toBeNull();
});
