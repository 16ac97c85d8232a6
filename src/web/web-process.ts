import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { readEndpoints } from '../client/endpoints';
import { errorCode } from '../client/error-code';
import { connectTemporal, resolveTemporalTarget } from '../client/temporal';
import type { HarnessConfig } from '../config/config';
import { errorText } from '../config/error-text';
import type { ProcessHost } from '../config/process-host';
import { createApp } from './app';
import { ensureToken } from './token';
import { createWebDependencies } from './web-dependencies';

const CONNECT_TIMEOUT_MS = 10_000;
/** Requests that are still running get this long after the signal. */
const DRAIN_MS = 1_500;

/** The port cannot be listened on. Exit code 1. */
export class WebListenError extends Error {
  override readonly name = 'WebListenError';
}

/**
 * The web process: the REST interface over Temporal, until the host's signal aborts. Throws TemporalUnreachable (exit code
 * 69), or WebListenError when its port is taken.
 */
export async function runWebProcess(config: HarnessConfig, host: ProcessHost): Promise<void> {
  const target = resolveTemporalTarget(config, await readEndpoints(config.dataDir));
  const access = await connectTemporal(target, { timeoutMs: CONNECT_TIMEOUT_MS });
  try {
    const token = await ensureToken(config.dataDir, config.web.token);
    const app = createApp(createWebDependencies({ config, access, token, log: host.log }));
    const server = await listen(app, config.web);
    try {
      host.log.info({ url: urlOf(server), temporal: access.address }, 'web server listens');
      host.ready();
      if (!host.signal.aborted) await once(host.signal, 'abort');
    } finally {
      await close(server);
    }
  } finally {
    await access.close();
  }
}

/** Resolves once it listens. Throws WebListenError with the way out. */
export async function listen(app: Express, { host, port }: HarnessConfig['web']): Promise<Server> {
  // Express passes the error to the callback of `listen`; the event is the same for both outcomes.
  const server = app.listen(port, host, () => undefined);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    throw new WebListenError(`cannot listen on ${host}:${port}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return 'another program has this port. Stop it, or choose another one with HARNESS_WEB_PORT or web.port.';
    case 'EACCES':
      return 'this port needs more rights. Choose one above 1023 with HARNESS_WEB_PORT or web.port.';
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return 'this machine has no such address. Correct web.host.';
    default:
      return errorText(error);
  }
}

/** Takes no new requests, lets running ones finish for a moment, then cuts them off. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
  await closed;
  clearTimeout(cut);
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}
