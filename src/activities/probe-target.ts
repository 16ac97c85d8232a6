import type { SocketAddress } from '../domain/listening-sockets';

/** What is probed; `latency:` asks for the time as the value. */
export type ProbeTarget =
  | { readonly kind: 'http'; readonly url: URL; readonly value: 'none' | 'latency' }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** What one connection showed. Fields are left out as far as it did not get. */
export interface Observation {
  readonly connected: boolean;
  readonly latencyMs: number;
  /** Why it ended early; null when it went as it should. */
  readonly error: string | null;
  /** The error says that the check is wrong, not the target. */
  readonly isCheckBroken?: boolean;
  readonly status?: number;
  readonly value?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly certDaysLeft?: number;
  /** The far end, once connected; of the first connection when there were redirects. */
  readonly remote?: SocketAddress;
}

/** `http(s)://…`, `latency:http(s)://…` or `tcp://host:port`; null for anything else. */
export function parseTarget(query: string): ProbeTarget | null {
  const wantsLatency = query.startsWith('latency:');
  const text = wantsLatency ? query.slice('latency:'.length) : query;
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.protocol === 'http:' || url.protocol === 'https:') {
    return { kind: 'http', url, value: wantsLatency ? 'latency' : 'none' };
  }
  if (url.protocol !== 'tcp:' || wantsLatency || url.port === '' || url.hostname === '') return null;
  return { kind: 'tcp', host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) };
}
