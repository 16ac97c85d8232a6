import type { IncomingMessage } from 'node:http';
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
  const startedAt = performance.now();
  const limit = AbortSignal.timeout(timeoutMs);
  const attempt = new Exchange(AbortSignal.any([signal, limit]));
  let error: string | null = null;
  let isCheckBroken = false;
  try {
    let hop: Hop | null = { url, request };
    for (let left = request.followRedirects; hop; left -= 1) hop = nextHop(hop, await attempt.run(hop), left);
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    error = limit.aborted ? `no answer within ${timeoutMs} ms` : describeProbeError(cause);
    isCheckBroken = !limit.aborted && isBrokenCheck(cause);
  }
  return { ...attempt.seen, latencyMs: performance.now() - startedAt, error, isCheckBroken };
}

/** Collects what was seen, so that an exchange that breaks off still shows how far it got. */
class Exchange {
  seen: Omit<Observation, 'latencyMs' | 'error' | 'isCheckBroken'> = { connected: false };
  constructor(private readonly signal: AbortSignal) {}

  run({ url, request }: Hop): Promise<IncomingMessage> {
    const { remote } = this.seen;
    this.seen = { connected: false, ...(remote && { remote }) };
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const outgoing = send(url, {
        agent: false,
        method: request.method,
        headers: { 'accept-encoding': 'identity', 'user-agent': 'harness-monitor', ...request.headers },
        signal: this.signal,
      });
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
        this.readBody(response).then(() => {
          outgoing.destroy();
          resolve(response);
        }, reject);
      });
      outgoing.end(request.body ?? undefined);
    });
  }

  private async readBody(response: IncomingMessage): Promise<void> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= MAX_BODY_BYTES) break;
    }
    this.seen = { ...this.seen, body: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString('utf8') };
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
