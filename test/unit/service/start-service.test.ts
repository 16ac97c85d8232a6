import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';

import { startService } from '../../../src/service/start-service';
import type { RunningService } from '../../../src/service/start-service';
import { captureLog, createCleanup, createDirectory, replaceFile } from './support';

const cleanup = createCleanup();
afterEach(() => cleanup.run());

async function started(config?: object, directory = createDirectory(cleanup)) {
  const path = join(directory, 'config.json');
  if (config) writeFileSync(path, JSON.stringify(config));
  const captured = captureLog();
  const service = await startService({ RATE_LIMITER_PORT: '0', RATE_LIMITER_CONFIG: path }, captured.log);
  cleanup.add(() => service.stop());
  const health = async (): Promise<{ status: number; body: Record<string, unknown> }> => {
    const response = await fetch(`${service.url}/health`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  return { service, directory, path, captured, health };
}

/** A check that the server has received and is delaying. */
async function inFlight(service: RunningService) {
  const client = request(`${service.url}/check`, { method: 'POST', headers: { Expect: '100-continue' } });
  const answered = new Promise<{ status: number | undefined; connection: string | undefined }>(
    (resolve, reject) => {
      client.once('error', reject);
      client.once('response', (response) => {
        response.resume();
        resolve({ status: response.statusCode, connection: response.headers.connection });
      });
    },
  );
  await new Promise((resolve) => {
    client.once('continue', resolve);
    client.flushHeaders();
  });
  client.end('{"key": "a"}');
  return { answered };
}

const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex');

describe('startService', () => {
  it('first start: writes the config, serves, reports the hash of the file, logs url and config', async () => {
    const { service, path, captured, health } = await started();
    expect(await health()).toMatchObject({ status: 200, body: { status: 'ok', config_hash: sha256(path) } });
    expect(captured.lines).toEqual([
      expect.objectContaining({
        level: 'info',
        event: 'started',
        url: service.url,
        config_hash: sha256(path),
        config: { enabled: true, delay_ms: 0, capacity: 100, refill_per_second: 50 },
      }),
    ]);
  });

  it('two starts with one config: two lines of time and pid in starts.ndjson', async () => {
    const { service, directory, health } = await started();
    const { body } = await health();
    await service.stop();
    await started(undefined, directory);
    const lines = readFileSync(join(directory, 'starts.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual({ at: body['started_at'], pid: process.pid });
  });

  it('starts.ndjson cannot be written: serves all the same and warns', async () => {
    const directory = createDirectory(cleanup);
    mkdirSync(join(directory, 'starts.ndjson'));
    const { captured, health } = await started(undefined, directory);
    expect(await captured.next('start_not_counted')).toMatchObject({ level: 'warn', code: 'EISDIR' });
    expect((await health()).status).toBe(200);
  });

  it.each([
    ['8001x', '"8001x"'],
    ['-1', '"-1"'],
    ['65536', '"65536"'],
  ])('RATE_LIMITER_PORT=%s: StartError that shows it, no config is written', async (port, expected) => {
    const path = join(createDirectory(cleanup), 'config.json');
    const starting = startService({ RATE_LIMITER_PORT: port, RATE_LIMITER_CONFIG: path }, captureLog().log);
    await expect(starting).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringContaining(
        `RATE_LIMITER_PORT must be a port from 0 to 65535 (0: any free one), not ${expected}`,
      ) as string,
    });
    expect(existsSync(path)).toBe(false);
  });

  it('invalid config: StartError with path and problem, not counted as a start', async () => {
    const directory = createDirectory(cleanup);
    await expect(started({ capacity: 0 }, directory)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/config\.json cannot be used: capacity must be/) as string,
    });
    expect(existsSync(join(directory, 'starts.ndjson'))).toBe(false);
  });

  it('port in use: StartError with host:port and the way out, not counted as a start', async () => {
    const { service } = await started();
    const directory = createDirectory(cleanup);
    const { port } = new URL(service.url);
    const env = { RATE_LIMITER_PORT: port, RATE_LIMITER_CONFIG: join(directory, 'config.json') };
    await expect(startService(env, captureLog().log)).rejects.toMatchObject({
      name: 'StartError',
      message: `127.0.0.1:${port} is already in use. Stop what listens there or set RATE_LIMITER_PORT to another port.`,
    });
    expect(existsSync(join(directory, 'starts.ndjson'))).toBe(false);
  });

  it('address that is not ours: StartError with the reason', async () => {
    const env = {
      RATE_LIMITER_HOST: '192.0.2.1',
      RATE_LIMITER_PORT: '0',
      RATE_LIMITER_CONFIG: join(createDirectory(cleanup), 'config.json'),
    };
    await expect(startService(env, captureLog().log)).rejects.toThrow(
      'Cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL). Check RATE_LIMITER_HOST',
    );
  });
});

describe('config change while running', () => {
  it('replaced by a valid one: in force for health, checks and hash, without a restart', async () => {
    const { service, path, captured, health } = await started({ capacity: 10 });
    const before = await health();
    replaceFile(path, '{"enabled": false, "capacity": 5}');
    expect(await captured.next('config_reloaded')).toMatchObject({
      config_hash: sha256(path),
      config: { enabled: false, capacity: 5 },
    });
    const after = await health();
    expect(after).toMatchObject({ status: 503, body: { status: 'disabled', config_hash: sha256(path) } });
    expect(after.body['started_at']).toBe(before.body['started_at']);

    writeFileSync(path, '{"capacity": 5}');
    await captured.next('config_reloaded');
    const check = (body: object) =>
      fetch(`${service.url}/check`, { method: 'POST', body: JSON.stringify(body) });
    expect((await check({ key: 'a', cost: 6 })).status).toBe(400);
    expect(await (await check({ key: 'a' })).json()).toEqual({ allowed: true, remaining: 4, limit: 5 });
  });

  it('invalid: the old config and hash stay, an error names the problem, it is counted; corrected: in force', async () => {
    const { service, path, captured, health } = await started({ capacity: 10 });
    const before = await health();
    writeFileSync(path, '{"enabled": false, "capacty": 5}');
    expect(await captured.next('config_rejected')).toMatchObject({
      level: 'error',
      problem: expect.stringContaining('unknown field "capacty"') as string,
      config_hash: before.body['config_hash'],
      msg: expect.stringContaining(path) as string,
    });
    expect(await health()).toMatchObject({ status: 200, body: { config_hash: before.body['config_hash'] } });
    const metrics = await (await fetch(`${service.url}/metrics`)).text();
    expect(metrics).toContain('rate_limiter_config_reloads_total{result="rejected"} 1\n');
    expect(metrics).toContain('rate_limiter_config_reloads_total{result="applied"} 0\n');

    writeFileSync(path, '{"enabled": false}');
    await captured.next('config_reloaded');
    expect((await health()).status).toBe(503);
  });

  it('deleted: the old config stays and an error says so; a new file: in force', async () => {
    const { path, captured, health } = await started({ capacity: 10 });
    const before = await health();
    unlinkSync(path);
    expect(await captured.next('config_missing')).toMatchObject({ level: 'error' });
    expect(await health()).toMatchObject({ status: 200, body: { config_hash: before.body['config_hash'] } });
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, '{"enabled": false}');
    await captured.next('config_reloaded');
    expect((await health()).status).toBe(503);
  });
});

describe('stop', () => {
  it('request in flight: finishes without keeping its connection, then nothing listens', async () => {
    const { service, captured } = await started({ delay_ms: 200 });
    const { answered } = await inFlight(service);
    await service.stop();
    expect(await answered).toEqual({ status: 200, connection: 'close' });
    expect(captured.lines.at(-1)).toMatchObject({ event: 'stopped' });
    await expect(fetch(`${service.url}/health`)).rejects.toThrow('fetch failed');
  });

  it('request in flight that takes too long: is cut off after 2 s', async () => {
    const { service } = await started({ delay_ms: 60_000 });
    const { answered } = await inFlight(service);
    const cutOff = expect(answered).rejects.toThrow('socket hang up');
    const start = performance.now();
    await service.stop();
    expect(performance.now() - start).toBeGreaterThanOrEqual(1_990);
    await cutOff;
  });
});
