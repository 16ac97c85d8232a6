import {
  TemporalUnreachable,
  connectTemporal,
  resolveTemporalAddress,
  resolveTemporalTarget,
} from '../../../src/client/temporal';

const endpoints = {
  runId: 'r1',
  supervisorPid: 42,
  startedAt: '2026-01-02T03:04:05.678Z',
  temporalAddress: '127.0.0.1:17233',
  temporalNamespace: 'ours',
  temporalUiUrl: null,
  webUrl: null,
  controlSocket: '/tmp/control.sock',
  monitorUrl: null,
};
const config = (address: string | null) => ({
  dataDir: '/data',
  temporal: { address, namespace: 'theirs', embeddedPort: 7233, cliPath: null, apiKey: 'secret', tls: true },
});

it('a configured address wins over a running harness and comes with its key and TLS', () => {
  expect(resolveTemporalTarget(config('cloud:7233'), endpoints)).toEqual({
    address: 'cloud:7233',
    namespace: 'theirs',
    security: { apiKey: 'secret', tls: true },
  });
});

it('without one: what the running harness wrote, and no key for it', () => {
  expect(resolveTemporalTarget(config(null), endpoints)).toEqual({
    address: '127.0.0.1:17233',
    namespace: 'ours',
  });
});

it('neither: TemporalUnreachable with the command to type', () => {
  const resolve = () => resolveTemporalAddress(config(null), null);
  expect(resolve).toThrow(TemporalUnreachable);
  expect(resolve).toThrow(/\/data.*"harness run".*TEMPORAL_ADDRESS/);
});

it('nobody listens: TemporalUnreachable within the time given, with the address', async () => {
  const asked = Date.now();
  await expect(
    connectTemporal({ address: '127.0.0.1:1', namespace: 'default' }, { timeoutMs: 300 }),
  ).rejects.toMatchObject({
    name: 'TemporalUnreachable',
    message: expect.stringContaining('Temporal at 127.0.0.1:1 did not answer within 0.3 s') as string,
  });
  expect(Date.now() - asked).toBeLessThan(2_000);
});
