import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';

import type { ServiceConfig } from '../../../src/service/config';
import { createMetrics } from '../../../src/service/metrics';
import { createRateLimiterServer } from '../../../src/service/server';
import { TokenBuckets } from '../../../src/service/token-bucket';
import { captureLog, createCleanup } from './support';

const cleanup = createCleanup();
afterEach(() => cleanup.run());

interface Options {
  readonly config?: Partial<ServiceConfig>;
  readonly now?: () => number;
}

async function listening({ config = {}, now = () => 0 }: Options = {}) {
  const captured = captureLog();
  const inForce = { enabled: true, delayMs: 0, capacity: 10, refillPerSecond: 2, ...config };
  const buckets = new TokenBuckets(inForce);
  const server = createRateLimiterServer({
    inForce: () => ({ kind: 'valid', fingerprint: 'hash in force', config: inForce }),
    buckets,
    metrics: createMetrics(() => buckets.activeKeys(now())),
    log: captured.log,
    now,
    startedAt: '2026-01-02T03:04:05.678Z',
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanup.add(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const check = (body: unknown): Promise<Response> =>
    fetch(`${url}/check`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  const metric = async (line: string): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    const found = text.split('\n').find((candidate) => candidate.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1));
  };
  return { server, url, port, inForce, check, metric, captured };
}

describe('POST /check', () => {
  it('tokens left: 200 with what remains', async () => {
    const { check } = await listening();
    const response = await check({ key: 'a', cost: 3 });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ allowed: true, remaining: 7, limit: 10 });
  });

  it('no tokens left: 429 with Retry-After in whole seconds, rounded up; allowed again after that', async () => {
    let nowMs = 0;
    const { check } = await listening({ now: () => nowMs });
    await check({ key: 'a', cost: 10 });
    const refused = await check({ key: 'a', cost: 3 });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '2']);
    expect(await refused.json()).toEqual({ allowed: false, remaining: 0, limit: 10, retry_after_s: 2 });
    nowMs = 2_000;
    expect((await check({ key: 'a', cost: 3 })).status).toBe(200);
  });

  it('50 clients at once on one key of 10 tokens: exactly 10 are allowed', async () => {
    const { check } = await listening();
    const responses = await Promise.all(Array.from({ length: 50 }, () => check({ key: 'a' })));
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(10);
    expect(responses.filter(({ status }) => status === 429)).toHaveLength(40);
  });

  it('bad field: 400 problem that names it', async () => {
    const { check } = await listening();
    const response = await check({ key: 'a', cost: 11 });
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      detail: expect.stringContaining('above the capacity 10') as string,
      field: 'cost',
    });
  });

  it('body above 4 KiB: 413, and the connection is not kept', async () => {
    const { check } = await listening();
    const response = await check(JSON.stringify({ key: 'a' }) + ' '.repeat(4_096));
    expect([response.status, response.headers.get('connection')]).toEqual([413, 'close']);
  });

  it('disabled: 503 and no token is taken', async () => {
    const { check, metric } = await listening({ config: { enabled: false } });
    const response = await check({ key: 'a' });
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      detail: expect.stringContaining('"enabled" is false') as string,
    });
    expect(await metric('rate_limiter_active_keys')).toBe(0);
  });
});

describe('GET /health', () => {
  it.each([
    [true, 200, 'ok'],
    [false, 503, 'disabled'],
  ])('enabled %s: %d %s', async (enabled, status, text) => {
    const { url } = await listening({ config: { enabled }, now: () => 12_345.678 });
    const response = await fetch(`${url}/health?probe=1`);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({
      status: text,
      config_hash: 'hash in force',
      started_at: '2026-01-02T03:04:05.678Z',
      pid: process.pid,
      uptime_s: 12.346,
    });
  });
});

describe('routes', () => {
  it.each([
    ['GET', '/', 404, null],
    ['GET', '/healthz', 404, null],
    ['GET', '/constructor', 404, null],
    ['GET', '//evil.example/health', 404, null],
    ['GET', '/check', 405, 'POST'],
    ['DELETE', '/health', 405, 'GET, HEAD'],
    ['HEAD', '/health', 200, null],
  ])('%s %s: %d', async (method, path, status, allow) => {
    const { url } = await listening();
    const response = await fetch(url + path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
  });
});

describe('GET /metrics', () => {
  it('counts requests, checks and active keys, and identifies the start', async () => {
    const { url, check, metric } = await listening();
    await check({ key: 'a', cost: 10 });
    await check({ key: 'a' });
    await check({ key: '' });
    await fetch(`${url}/client-chosen-path`);
    expect(await metric('rate_limiter_requests_total{route="/check",status_class="2xx"}')).toBe(1);
    expect(await metric('rate_limiter_requests_total{route="/check",status_class="4xx"}')).toBe(2);
    expect(await metric('rate_limiter_requests_total{route="other",status_class="4xx"}')).toBe(1);
    expect(await metric('rate_limiter_checks_total{outcome="allowed"}')).toBe(1);
    expect(await metric('rate_limiter_checks_total{outcome="limited"}')).toBe(1);
    expect(await metric('rate_limiter_checks_total{outcome="invalid"}')).toBe(1);
    expect(await metric('rate_limiter_checks_total{outcome="disabled"}')).toBe(0);
    expect(await metric('rate_limiter_active_keys')).toBe(1);
    expect(await metric('rate_limiter_config_reloads_total{result="rejected"}')).toBe(0);
    const startedAt = (await metric('process_start_time_seconds')) * 1_000;
    expect(Math.abs(Date.now() - process.uptime() * 1_000 - startedAt)).toBeLessThan(2_000);
  });
});

describe('delay_ms', () => {
  it.each(['/health', '/metrics', '/nowhere'])('%s waits, and the delays run side by side', async (path) => {
    const { url } = await listening({ config: { delayMs: 150 } });
    const start = performance.now();
    await Promise.all(Array.from({ length: 5 }, () => fetch(url + path)));
    const elapsedMs = performance.now() - start;
    expect(elapsedMs).toBeGreaterThanOrEqual(145);
    expect(elapsedMs).toBeLessThan(5 * 150);
  });

  it('client that leaves during the delay: counted as aborted at once, nothing logged', async () => {
    const { server, port, inForce, metric, captured } = await listening({ config: { delayMs: 60_000 } });
    const closed = new Promise((resolve) => {
      server.once('request', (_request, response) => {
        response.once('close', resolve);
        client.destroy();
      });
    });
    const client = request({ port, host: '127.0.0.1', path: '/health' });
    client.on('error', () => {});
    client.end();
    await closed;
    inForce.delayMs = 0;
    expect(await metric('rate_limiter_requests_total{route="/health",status_class="aborted"}')).toBe(1);
    expect(captured.lines).toEqual([]);
  });
});

describe('clients that misbehave', () => {
  it('connection cut in the middle of a body: counted as aborted, nothing logged, the service goes on', async () => {
    const { server, port, metric, captured } = await listening();
    const closed = new Promise((resolve) => {
      server.once('request', (_request, response) => {
        response.once('close', resolve);
        socket.destroy();
      });
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('POST /check HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"key"');
    await closed;
    expect(await metric('rate_limiter_requests_total{route="/check",status_class="aborted"}')).toBe(1);
    expect(captured.lines).toEqual([]);
  });

  it('unexpected failure: 500, the log has the frames and nothing of the client', async () => {
    let calls = 0;
    const { check, captured } = await listening({
      now: () => {
        calls += 1;
        if (calls === 2) throw new Error('cannot handle key SECRET');
        return 0;
      },
    });
    const response = await check({ key: 'SECRET' });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('SECRET');
    const [line] = captured.lines;
    expect(line).toMatchObject({ level: 'error', event: 'request_failed' });
    expect(JSON.stringify(line)).toContain('server.ts');
    expect(captured.text()).not.toContain('SECRET');
  });

  it('whatever clients send: the log stays empty and the metrics do not quote it', async () => {
    const { url, check, captured } = await listening();
    await check({ key: 'SECRET' });
    await check({ key: 'SECRET', cost: 'SECRET' });
    await check('SECRET');
    await fetch(`${url}/SECRET?SECRET`, { headers: { 'user-agent': 'SECRET' } });
    expect(captured.lines).toEqual([]);
    expect(await (await fetch(`${url}/metrics`)).text()).not.toContain('SECRET');
  });
});
