import * as http from 'node:http';
import * as https from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import type { ManagedProcess } from './managed-process';

/** How a process shows that it can do its work. */
export type Readiness =
  | { readonly kind: 'running' }
  /** `{type: 'ready'}` over the IPC channel. */
  | { readonly kind: 'message' }
  /** A GET with a fresh connection answers 2xx. */
  | { readonly kind: 'url'; readonly url: string }
  /** Asked repeatedly; a rejection counts as not yet. */
  | { readonly kind: 'probe'; readonly probe: (signal: AbortSignal) => Promise<boolean> };

const POLL_MS = 50;
const PROBE_TIMEOUT_MS = 1_000;

/** Watches one process until it is ready or gone; it never gives up on a live one. */
export class ReadinessWatch {
  /** What the last unsuccessful probe saw; null before one. */
  lastProblem: string | null = null;
  /** `gone`: the process ended before it was ready. */
  readonly outcome: Promise<'ready' | 'gone'>;

  constructor(process: ManagedProcess, readiness: Readiness) {
    const gone = process.exited.then(() => 'gone' as const);
    this.outcome = Promise.race([gone, this.whenReady(process, readiness)]);
  }

  private async whenReady(process: ManagedProcess, readiness: Readiness): Promise<'ready' | 'gone'> {
    switch (readiness.kind) {
      case 'running':
        return 'ready';
      case 'message':
        await process.announced;
        return 'ready';
      case 'url':
        return this.poll(process, (signal) => this.probeUrl(readiness.url, signal));
      case 'probe':
        return this.poll(process, readiness.probe);
    }
  }

  private async poll(
    process: ManagedProcess,
    probe: (signal: AbortSignal) => Promise<boolean>,
  ): Promise<'ready' | 'gone'> {
    while (process.exit === null) {
      try {
        if (await probe(AbortSignal.timeout(PROBE_TIMEOUT_MS))) {
          // A stranger on the port may have answered for a process that has died of exactly that.
          return process.exit === null ? 'ready' : 'gone';
        }
      } catch (error) {
        this.lastProblem = error instanceof Error ? error.message : String(error);
      }
      await delay(POLL_MS);
    }
    return 'gone';
  }

  private async probeUrl(url: string, signal: AbortSignal): Promise<boolean> {
    const status = await requestStatus(url, signal);
    if (status >= 200 && status < 300) return true;
    this.lastProblem = `${url} answered ${status}`;
    return false;
  }
}

function requestStatus(url: string, signal: AbortSignal): Promise<number> {
  const client = url.startsWith('https:') ? https : http;
  return new Promise((resolve, reject) => {
    const request = client.get(url, { agent: false, signal }, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.on('error', (error) => reject(new Error(`${url}: ${describe(error)}`)));
  });
}

/** Node reports a failed connection to both addresses of "localhost" as an AggregateError without a message. */
function describe(error: Error): string {
  if (error.name === 'AbortError' || error.name === 'TimeoutError') return 'no answer within 1 s';
  if ('errors' in error && Array.isArray(error.errors)) return error.errors.map(String).join('; ');
  return error.message;
}
