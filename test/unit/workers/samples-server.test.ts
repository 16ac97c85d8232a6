import { request } from 'node:http';
import { createSamples } from '../../../src/activities/samples';
import { readMonitorSamples } from '../../../src/client/monitor-samples';
import { startSamplesServer } from '../../../src/workers/samples-server';
import type { SamplesServer } from '../../../src/workers/samples-server';
import { at, check, T0 } from '../../support/invariants';

let server: SamplesServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

function status(port: number, path: string, host: string, method = 'GET'): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method, headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

it('serves what the ring holds, as its client reads it', async () => {
  const samples = createSamples(2);
  for (const ms of [1, 2, 3]) samples.add(check('a', { at: at(ms) }));
  samples.sweepEnded(T0);
  samples.sweepFailed('no sockets');
  server = await startSamplesServer(samples, 0);
  expect(await readMonitorSamples(`http://127.0.0.1:${server.port}`)).toEqual({
    items: { a: [check('a', { at: at(2) }), check('a', { at: at(3) })] },
    lastSweepAt: T0,
    lastError: 'no sockets',
  });
});

it.each([
  ['/samples', '127.0.0.1', 'GET', 200],
  ['/samples', 'localhost:1234', 'GET', 200],
  ['/samples', 'evil.example', 'GET', 403],
  ['/samples', '127.0.0.1', 'POST', 404],
  ['/other', '127.0.0.1', 'GET', 404],
])('%s for host %s with %s: %d', async (path, host, method, expected) => {
  server = await startSamplesServer(createSamples(), 0);
  expect(await status(server.port, path, host, method)).toBe(expected);
});

it('forgets invariants that are gone', () => {
  const samples = createSamples();
  samples.add(check('a'));
  samples.add(check('b'));
  samples.keepOnly(new Set(['b']));
  expect(Object.keys(samples.read().items)).toEqual(['b']);
  expect(samples.turnOf('a')).toBe(0);
});
