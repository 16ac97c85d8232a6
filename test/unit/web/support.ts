import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../../../src/web/app';
import type { WebDependencies } from '../../../src/web/dependencies';
import { listen } from '../../../src/web/web-process';
import { T0 } from '../../support/invariants';

export const TOKEN = 'the-token-of-this-run';

/** A dependency that a test did not expect to be used. */
const unexpected = (name: string) => (): never => {
  throw new Error(`${name} was called, which this test does not expect`);
};

/** Every dependency fails loudly unless the test gives it. */
export function dependencies(over: Partial<WebDependencies> = {}): WebDependencies {
  return {
    tickets: {
      list: unexpected('tickets.list'),
      get: unexpected('tickets.get'),
      trajectory: unexpected('tickets.trajectory'),
    },
    openTickets: unexpected('openTickets'),
    commands: {
      note: unexpected('commands.note'),
      cancel: unexpected('commands.cancel'),
      retry: unexpected('commands.retry'),
    },
    undoEdits: unexpected('undoEdits'),
    registry: {
      read: unexpected('registry.read'),
      change: unexpected('registry.change'),
      dismiss: unexpected('registry.dismiss'),
    },
    refuseTarget: () => Promise.resolve(null),
    serviceNames: ['api'],
    checkNow: unexpected('checkNow'),
    control: { snapshot: unexpected('control.snapshot'), act: unexpected('control.act') },
    samples: unexpected('samples'),
    components: () => Promise.resolve([{ name: 'monitor', status: 'ok', detail: 'checks' }]),
    spend: unexpected('spend'),
    budget: { turns: 25, usd: 0.5, tokens: 400_000, wallClockMs: 900_000 },
    redact: (text) => text.replaceAll('hunter2', '[redacted]'),
    now: () => new Date(T0),
    cooldownMs: 600_000,
    log: { error: unexpected('log.error'), warn: unexpected('log.warn') },
    web: { host: '127.0.0.1', token: TOKEN, tokenFile: '/data/run/token' },
    ...over,
  };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface TestApi {
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>;
  close(): Promise<void>;
}

interface AskOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string;
  readonly token?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The app on a free loopback port. */
export async function startApi(over: Partial<WebDependencies> = {}): Promise<TestApi> {
  const server: Server = await listen(createApp(dependencies(over)), { host: '127.0.0.1', port: 0 });
  const { port } = server.address() as AddressInfo;
  return {
    async ask(method, path, { body, raw, token = TOKEN, headers = {} } = {}) {
      const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          connection: 'close',
          ...(token !== null && { authorization: `Bearer ${token}` }),
          ...(sent !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(sent !== undefined && { body: sent }),
      });
      const text = await response.text();
      const isJson = response.headers.get('content-type')?.includes('json');
      return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
