import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import * as http from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ControlRefused } from '../client/control-errors';
import { controlAction, controlBody, PING_MS } from '../client/control-wire';
import type { ControlLine } from '../client/control-wire';
import type { ControlRequest, ControlResult, ControlSnapshot, ServiceEvent } from '../domain/service-state';

/** The part of a supervisor that is served. */
export interface ControlHost {
  current(): ControlSnapshot;
  act(request: ControlRequest, signal?: AbortSignal): Promise<ControlResult>;
  onEvent(listener: (event: ServiceEvent) => void): () => void;
}

export interface ControlServer {
  readonly socketPath: string;
  /** Ends event streams and open requests, and removes the socket. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024;
/** A reader that is this far behind is disconnected; it comes back and gets a snapshot. */
const MAX_BEHIND_BYTES = 1024 * 1024;

/** Serves the control socket, readable and writable by its owner only. Rejects when somebody answers on it already. */
export async function startControlServer(socketPath: string, host: ControlHost): Promise<ControlServer> {
  if (await socketIsAlive(socketPath)) throw new Error(`Another supervisor answers on ${socketPath}.`);
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  rmSync(socketPath, { force: true });
  const server = http.createServer((request, response) => {
    route(host, request, response).catch((error: unknown) => answerError(response, error));
  });
  const listening = new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', reject);
  });
  // The socket is made inside listen(); with the mask it is never open to others, not even for a moment.
  const mask = process.umask(0o177);
  try {
    server.listen(socketPath);
  } finally {
    process.umask(mask);
  }
  await listening;
  chmodSync(socketPath, 0o600);
  return {
    socketPath,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Whether a process listens on the socket, even one that hangs; false for a file that a crash left. */
export function socketIsAlive(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // A full backlog (EAGAIN) means a listener that does not accept.
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EAGAIN'));
  });
}

async function route(
  host: ControlHost,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const path = new URL(request.url ?? '/', 'http://control').pathname;
  const [top, name, action, ...more] = path.slice(1).split('/').map(decodeURIComponent);
  const route = `${request.method} /${top}`;
  if (route === 'GET /snapshot' && name === undefined) return answer(response, 200, host.current());
  if (route === 'GET /events' && name === undefined) return streamEvents(host, response);
  if (route === 'GET /services' && name === undefined) return answer(response, 200, host.current().services);
  if (route === 'GET /services' && name !== undefined && action === undefined) {
    const service = host.current().services.find((candidate) => candidate.name === name);
    if (service === undefined) throw new ControlRefused(404, `There is no service "${name}".`);
    return answer(response, 200, service);
  }
  if (route === 'POST /services' && name !== undefined && action !== undefined && more.length === 0) {
    return answer(response, 200, await performAction(host, name, action, request, response));
  }
  throw new ControlRefused(404, `The control socket has no ${request.method} ${path}.`);
}

async function performAction(
  host: ControlHost,
  service: string,
  actionText: string,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<ControlResult> {
  const action = controlAction.safeParse(actionText);
  if (!action.success) {
    throw new ControlRefused(404, `"${actionText}" is no action; use ${controlAction.options.join(', ')}.`);
  }
  const body = controlBody.safeParse(parseJson(await readBody(request)));
  if (!body.success) {
    const issue = body.error.issues[0];
    throw new ControlRefused(
      400,
      `Bad request body: ${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'invalid'}.`,
    );
  }
  const { by, expect, operationId } = body.data;
  // An order whose caller has gone is not begun; one that has begun is finished.
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const order: ControlRequest = { service, action: action.data, by };
  return host.act({ ...order, ...(expect && { expect }), ...(operationId && { operationId }) }, gone.signal);
}

function streamEvents(host: ControlHost, response: http.ServerResponse): void {
  const send = (line: ControlLine): void => {
    response.write(`${JSON.stringify(line)}\n`);
    if (response.writableLength > MAX_BEHIND_BYTES) response.destroy();
  };
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  // Snapshot and subscription in one turn: no event falls between them.
  send({ type: 'snapshot', snapshot: host.current() });
  const unsubscribe = host.onEvent((event) => send({ type: 'event', event }));
  const pings = setInterval(() => send({ type: 'ping' }), PING_MS);
  response.once('close', () => {
    clearInterval(pings);
    unsubscribe();
  });
}

async function readBody(request: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new ControlRefused(400, `The body is above ${MAX_BODY_BYTES} bytes.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answer(response: http.ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function answerError(response: http.ServerResponse, error: unknown): void {
  const status = error instanceof ControlRefused ? error.status : 500;
  answer(response, status, { error: error instanceof Error ? error.message : String(error) });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
