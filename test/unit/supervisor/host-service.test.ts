import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { createControlClient } from '../../../src/client/control-client';
import type { HarnessConfig, ServiceConfig } from '../../../src/config/config';
import { paths } from '../../../src/config/paths';
import { hostService } from '../../../src/supervisor/host-service';
import { shellService } from './support';
import { BRAIN_CONFIG } from '../../support/brain-config';

let dir: string;
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'harness-host-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function config(...services: readonly ServiceConfig[]): HarnessConfig {
  return {
    file: null,
    dataDir: dir,
    web: { host: '127.0.0.1', port: 0 },
    temporal: { address: null, namespace: 'default', embeddedPort: 0, cliPath: null },
    restartOwn: false,
    services,
    invariants: [],
    monitor: { intervalMs: 5_000, concurrency: 64, cooldownMs: 600_000 },
    ...BRAIN_CONFIG,
    logLevel: 'info',
    packageRoot: dir,
  };
}

function host(name: string | undefined, ...services: readonly ServiceConfig[]) {
  const stop = new AbortController();
  const said: string[] = [];
  const log = pino({}, { write: (line: string) => said.push((JSON.parse(line) as { msg: string }).msg) });
  let isReady: () => void = () => undefined;
  const ready = new Promise<void>((resolve) => (isReady = resolve));
  const code = hostService(config(...services), name, { signal: stop.signal, ready: isReady, log });
  return { code, ready, said, stop: () => stop.abort() };
}

test('hosts one service until it is told to stop; the control socket restarts it', async () => {
  const wanted = shellService(dir, 'exec sleep 100', { name: 'rate_limiter', dependsOn: ['db'] });
  const hosted = host(undefined, shellService(dir, 'exec sleep 100', { name: 'db' }), wanted);
  await hosted.ready;
  const client = createControlClient(paths.controlSocket(dir));
  const before = (await client.snapshot()).services;
  expect(before).toMatchObject([{ name: 'rate_limiter', state: 'running' }]);
  process.kill(before[0]?.pid ?? 0, 'SIGKILL');
  const result = await client.act({ service: 'rate_limiter', action: 'restart', by: 'person' });
  expect(result).toMatchObject({ outcome: 'performed', service: { state: 'running', restarts: 1 } });
  hosted.stop();
  expect(await hosted.code).toBe(0);
  expect(existsSync(paths.controlSocket(dir))).toBe(false);
});

test('an unknown name: exit code 4, the known ones are named', async () => {
  const hosted = host('other', shellService(dir, '', { name: 'mine' }));
  expect(await hosted.code).toBe(4);
  expect(hosted.said).toEqual(['there is no service "other"; configured: mine']);
});

test('a second host on the same directory is refused and leaves the first alone', async () => {
  const first = host('svc', shellService(dir, 'exec sleep 100'));
  await first.ready;
  const second = host('svc', shellService(dir, 'exec sleep 100'));
  expect(await second.code).toBe(1);
  expect(second.said.join()).toContain(dir);
  expect((await createControlClient(paths.controlSocket(dir)).snapshot()).services).toMatchObject([
    { state: 'running' },
  ]);
  first.stop();
  expect(await first.code).toBe(0);
});

test('a missing executable: exit code 78, nothing is left', async () => {
  const hosted = host('svc', shellService(dir, '', { command: ['no-such-program-xyz'] }));
  expect(await hosted.code).toBe(78);
  expect(hosted.said.join()).toContain('no-such-program-xyz');
  expect(existsSync(paths.controlSocket(dir))).toBe(false);
});
