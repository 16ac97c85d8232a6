import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { ProbeRequest } from '../domain/invariant';
import { describeProbeError, isBrokenCheck } from './probe-error';
import { farEnd } from './far-end';
import type { Observation } from './probe-target';

const MAX_BODY_BYTES = 64 * 1024;
const DAY_MS = 86_400_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

interface Hop {
  readonly url: URL;
  readonly request: ProbeRequest;
}

/**
 * One HTTP exchange on a fresh connection: a pooled one would hide a dead listener. `timeoutMs` covers everything, from name
 * resolution to the end of the body, over all redirects. Rejects with ProbeCouldNotRun, or with the signal's reason.
 */
export async function probeHttp(
  url: URL,
  request: ProbeRequest,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Observation> {
  signal.throwIfAborted();
  const startedAt = performance.now();
  const attempt = new Exchange();
  let isLate = false;
  let error: string | null = null;
  let isCheckBroken = false;
  // A timer and a listener cost a sweep of a thousand probes far less than a thousand combined signals.
  const stop = (): void => attempt.stop();
  const timer = setTimeout(() => {
    isLate = true;
    attempt.stop();
  }, timeoutMs);
  signal.addEventListener('abort', stop, { once: true });
  try {
    let hop: Hop | null = { url, request };
    for (let left = request.followRedirects; hop; left -= 1) hop = nextHop(hop, await attempt.run(hop), left);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    error = isLate ? `no answer within ${timeoutMs} ms` : describeProbeError(cause);
    isCheckBroken = !isLate && isBrokenCheck(cause);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
  return { ...attempt.seen, latencyMs: performance.now() - startedAt, error, isCheckBroken };
}

/** Collects what was seen, so that an exchange that breaks off still shows how far it got. */
class Exchange {
  seen: Omit<Observation, 'latencyMs' | 'error' | 'isCheckBroken'> = { connected: false };
  private outgoing: ClientRequest | null = null;
  private isStopped = false;

  /** Breaks off what runs, and everything that would come after it. */
  stop(): void {
    this.isStopped = true;
    this.outgoing?.destroy(new Error('stopped'));
  }

  run({ url, request }: Hop): Promise<IncomingMessage> {
    if (this.isStopped) return Promise.reject(new Error('stopped'));
    const { remote } = this.seen;
    this.seen = { connected: false, ...(remote && { remote }) };
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const outgoing = send(url, {
        agent: false,
        method: request.method,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'harness-monitor', ...request.headers },
      });
      this.outgoing = outgoing;
      outgoing.once('socket', (socket) => {
        // Before TLS: a stranger may not speak it.
        socket.once('connect', () => {
          this.seen = { ...farEnd(socket), ...this.seen };
        });
        const event = url.protocol === 'https:' ? 'secureConnect' : 'connect';
        socket.once(event, () => {
          this.seen = { ...this.seen, connected: true, ...certificate(socket) };
        });
      });
      outgoing.on('error', reject);
      let hasAnswer = false;
      outgoing.once('close', () => {
        if (!hasAnswer) reject(new Error('the connection was closed without an answer'));
      });
      outgoing.once('response', (response) => {
        hasAnswer = true;
        this.seen = { ...this.seen, ...head(response) };
        this.readBody(response, reject, () => {
          outgoing.destroy();
          resolve(response);
        });
      });
      outgoing.end(request.body ?? undefined);
    });
  }

  /** The body up to the limit; one that breaks off before its end is an error. */
  private readBody(response: IncomingMessage, fail: (error: Error) => void, done: () => void): void {
    const chunks: Buffer[] = [];
    let size = 0;
    const finish = (): void => {
      const body = Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8');
      this.seen = { ...this.seen, body };
      done();
    };
    response.on('data', (chunk: Buffer) => {
      if (size >= MAX_BODY_BYTES) return;
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) finish();
    });
    response.once('end', finish);
    response.once('error', fail);
  }
}

function head(response: IncomingMessage): Pick<Observation, 'status' | 'headers'> {
  const headers = Object.entries(response.headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(', ') : value] as const],
  );
  return { status: response.statusCode ?? 0, headers: Object.fromEntries(headers) };
}

function certificate(socket: unknown): Pick<Observation, 'certDaysLeft'> {
  if (!(socket instanceof TLSSocket)) return {};
  const validTo = Date.parse(socket.getPeerCertificate().valid_to);
  return Number.isNaN(validTo) ? {} : { certDaysLeft: (validTo - Date.now()) / DAY_MS };
}

/** Where a redirect leads, with the method rules of fetch; null when this answer is the last one. */
function nextHop({ url, request }: Hop, response: IncomingMessage, left: number): Hop | null {
  const status = response.statusCode ?? 0;
  const { location } = response.headers;
  if (left <= 0 || !REDIRECTS.has(status) || location === undefined) return null;
  if (!URL.canParse(location, url.href)) throw new Error(`redirected to "${location}", which is not a URL`);
  const next = new URL(location, url);
  if (next.protocol !== 'http:' && next.protocol !== 'https:') {
    throw new Error(`redirected to "${location}", which is not http(s)`);
  }
  const keepsMethod = status === 307 || status === 308 || request.method === 'HEAD';
  return {
    url: next,
    request: {
      ...request,
      ...(keepsMethod ? {} : { method: 'GET', body: null }),
      // Headers may carry credentials that are meant for the first origin only.
      headers: next.origin === url.origin ? request.headers : {},
    },
  };
}
