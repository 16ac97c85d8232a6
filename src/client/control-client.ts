import * as http from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { z } from 'zod';
import type { Control, ControlRequest, ControlSnapshot, ServiceEvent } from '../domain/service-state';
import { ControlRefused, ControlUnreachable } from './control-errors';
import { controlError, controlLine, controlResult, controlSnapshot, PING_MS } from './control-wire';
import type { ControlBody, ControlLine } from './control-wire';

const SNAPSHOT_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

interface Call {
  readonly socketPath: string;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: ControlBody;
  readonly signal?: AbortSignal;
}

/**
 * The supervisor behind a control socket. Rejects with ControlUnreachable (`wasSent`: the outcome is unknown) or
 * ControlRefused (unknown service, bad request).
 */
export function createControlClient(socketPath: string): Control {
  return {
    async snapshot() {
      const signal = AbortSignal.timeout(SNAPSHOT_TIMEOUT_MS);
      try {
        return await call({ socketPath, method: 'GET', path: '/snapshot', signal }, controlSnapshot);
      } catch (error) {
        if (!signal.aborted) throw error;
        throw new ControlUnreachable(socketPath, `no answer within ${SNAPSHOT_TIMEOUT_MS} ms`, true);
      }
    },
    act({ service, action, ...body }: ControlRequest, signal) {
      const path = `/services/${encodeURIComponent(service)}/${action}`;
      return call({ socketPath, method: 'POST', path, body, ...(signal && { signal }) }, controlResult);
    },
  };
}

async function call<T>(request: Call, answer: z.ZodType<T>): Promise<T> {
  const { status, text } = await exchange(request);
  const parsed = parseJson(text);
  if (status === 200) {
    const result = answer.safeParse(parsed);
    if (result.success) return result.data;
    const problem = 'its answer makes no sense; is it another version of the harness?';
    throw new ControlUnreachable(request.socketPath, problem, true);
  }
  const problem = controlError.safeParse(parsed);
  const message = problem.success ? problem.data.error : `unexpected status ${status}`;
  throw new ControlRefused(status, message);
}

function exchange({
  socketPath,
  method,
  path,
  body,
  signal,
}: Call): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    let isConnected = false;
    const fail = (error: Error): void => {
      if (signal?.aborted) reject(error);
      else reject(new ControlUnreachable(socketPath, error.message, isConnected));
    };
    const request = http.request({
      socketPath,
      method,
      path,
      agent: false,
      ...(signal && { signal }),
      ...(body && { headers: { 'content-type': 'application/json' } }),
    });
    request.on('socket', (socket) => socket.once('connect', () => (isConnected = true)));
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES)
          response.destroy(new Error(`an answer above ${MAX_ANSWER_BYTES} bytes`));
      });
      response.on('error', fail);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    request.end(body && JSON.stringify(body));
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export interface ControlFollower {
  /** The whole state; first thing after every (re)connect, so that nothing is missed in between. */
  onSnapshot(snapshot: ControlSnapshot): void;
  onEvent(event: ServiceEvent): void;
  /** The supervisor is gone or silent; called once until the next snapshot. */
  onDown(error: ControlUnreachable): void;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
const SILENCE_MS = 2.5 * PING_MS;

/** Follows the supervisor's events and reconnects (100 ms, doubling, 2 s at most) until the signal aborts; then it resolves. */
export async function followControl(
  socketPath: string,
  follower: ControlFollower,
  signal: AbortSignal,
): Promise<void> {
  let waitMs = FIRST_WAIT_MS;
  let isDown = false;
  while (!signal.aborted) {
    try {
      for await (const line of eventLines(socketPath, signal)) {
        if (line.type === 'snapshot') {
          waitMs = FIRST_WAIT_MS;
          isDown = false;
          follower.onSnapshot(line.snapshot);
        } else if (line.type === 'event') {
          follower.onEvent(line.event);
        }
      }
      throw new ControlUnreachable(socketPath, 'it ended the event stream', true);
    } catch (error) {
      if (signal.aborted) return;
      if (!isDown) follower.onDown(asUnreachable(socketPath, error));
      isDown = true;
    }
    await delay(waitMs, undefined, { signal }).catch(() => undefined);
    waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
  }
}

function asUnreachable(socketPath: string, error: unknown): ControlUnreachable {
  if (error instanceof ControlUnreachable) return error;
  return new ControlUnreachable(socketPath, error instanceof Error ? error.message : String(error), true);
}

async function* eventLines(socketPath: string, signal: AbortSignal): AsyncGenerator<ControlLine> {
  const response = await openStream(socketPath, signal);
  const silence = setTimeout(() => response.destroy(), SILENCE_MS);
  try {
    for await (const text of createInterface({ input: response, crlfDelay: Infinity })) {
      silence.refresh();
      yield controlLine.parse(JSON.parse(text));
    }
  } finally {
    clearTimeout(silence);
    response.destroy();
  }
}

function openStream(socketPath: string, signal: AbortSignal): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(new ControlUnreachable(socketPath, error.message, false));
    const request = http.get({ socketPath, path: '/events', agent: false, signal, timeout: SILENCE_MS });
    request.on('timeout', () => request.destroy(new Error('it accepts connections but does not answer')));
    request.on('error', fail);
    request.on('response', (response) => {
      // Without a listener a stream that breaks would end the process.
      response.on('error', () => undefined);
      if (response.statusCode === 200) resolve(response);
      else fail(new Error(`status ${response.statusCode}`));
    });
  });
}
