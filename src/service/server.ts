import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Logger } from 'pino';

import { readBody } from './body';
import { parseCheckRequest } from './check-request';
import type { ValidConfig } from './config-file';
import type { Metrics } from './metrics';
import { json, problem } from './reply';
import type { Reply } from './reply';
import type { TokenBuckets } from './token-bucket';

export interface ServerDependencies {
  /** The config in force, asked anew for every request. */
  readonly inForce: () => ValidConfig;
  readonly buckets: TokenBuckets;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Monotonic milliseconds since the process started. */
  readonly now: () => number;
  readonly startedAt: string;
}

const METHODS = { '/check': ['POST'], '/health': ['GET', 'HEAD'], '/metrics': ['GET', 'HEAD'] } as const;
type Route = keyof typeof METHODS;

/** The HTTP server, not listening yet. Plain node:http: three routes do not need Express, which doubles the time to boot. */
export function createRateLimiterServer(dependencies: ServerDependencies): Server {
  const { inForce, log, metrics, now } = dependencies;
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const route = routeOf(request);
    const startedMs = now();
    response.once('close', () => {
      const status = response.writableFinished ? response.statusCode : null;
      metrics.countRequest(route ?? 'other', status, (now() - startedMs) / 1_000);
    });
    const reply = await answer(dependencies, route, request);
    await delay(inForce().config.delayMs, response);
    if (response.destroyed) return;
    // A kept-alive connection would hold up a server that is stopping.
    if (!server.listening) response.setHeader('Connection', 'close');
    send(response, reply);
  };

  server.on('request', (request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.destroyed) return;
      // The message of an unexpected error could quote the client; its stack frames cannot.
      log.error({ event: 'request_failed', frames: framesOf(error) }, 'a request failed unexpectedly');
      if (!response.headersSent) send(response, problem(500, 'The service failed; its log says where.'));
    });
  });
  return server;
}

function routeOf(request: IncomingMessage): Route | null {
  const path = (request.url ?? '').split('?', 1)[0] ?? '';
  return Object.hasOwn(METHODS, path) ? (path as Route) : null;
}

async function answer(
  dependencies: ServerDependencies,
  route: Route | null,
  request: IncomingMessage,
): Promise<Reply> {
  if (route === null) {
    return problem(404, `There are only ${Object.keys(METHODS).join(', ')}.`);
  }
  const methods: readonly string[] = METHODS[route];
  if (!methods.includes(request.method ?? '')) {
    const allow = methods.join(', ');
    return problem(405, `${route} takes ${allow}.`, { headers: { Allow: allow } });
  }
  switch (route) {
    case '/check':
      return check(dependencies, request);
    case '/health':
      return health(dependencies);
    case '/metrics':
      return {
        status: 200,
        contentType: dependencies.metrics.contentType,
        body: await dependencies.metrics.render(),
      };
  }
}

async function check(
  { inForce, buckets, metrics, now }: ServerDependencies,
  request: IncomingMessage,
): Promise<Reply> {
  const body = await readBody(request);
  const { enabled, capacity } = inForce().config;
  if (!enabled) {
    metrics.countCheck('disabled');
    return problem(503, 'The rate limiter is disabled: "enabled" is false in its config file.');
  }
  if (body === null) {
    metrics.countCheck('invalid');
    return problem(413, 'The body is larger than 4 KiB.', { headers: { Connection: 'close' } });
  }
  const parsed = parseCheckRequest(body, capacity);
  if (!parsed.ok) {
    metrics.countCheck('invalid');
    return problem(400, parsed.detail, parsed.field === null ? {} : { field: parsed.field });
  }
  const taken = buckets.take(parsed.key, parsed.cost, now());
  if (taken.allowed) {
    metrics.countCheck('allowed');
    return json(200, { allowed: true, remaining: taken.remaining, limit: capacity });
  }
  metrics.countCheck('limited');
  const { remaining, retryAfterSeconds } = taken;
  return json(
    429,
    { allowed: false, remaining, limit: capacity, retry_after_s: retryAfterSeconds },
    { 'Retry-After': String(retryAfterSeconds) },
  );
}

function health({ inForce, startedAt, now }: ServerDependencies): Reply {
  const { config, fingerprint } = inForce();
  return json(config.enabled ? 200 : 503, {
    status: config.enabled ? 'ok' : 'disabled',
    config_hash: fingerprint,
    started_at: startedAt,
    pid: process.pid,
    uptime_s: Math.round(now()) / 1_000,
  });
}

/** Waits, but not for a client that has left. */
function delay(delayMs: number, response: ServerResponse): Promise<void> {
  if (delayMs === 0 || response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, delayMs);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function send(response: ServerResponse, { status, contentType, body, headers }: Reply): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(body);
}

function framesOf(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  return stack.split('\n').filter((line) => /^ {4}at /.test(line));
}
