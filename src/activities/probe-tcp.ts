import { connect } from 'node:net';
import { isNativeError } from 'node:util/types';
import { describeProbeError, isBrokenCheck } from './probe-error';
import { farEnd } from './far-end';
import type { Observation } from './probe-target';

/** Connects once and hangs up. Rejects with ProbeCouldNotRun, or with the signal's reason when it is cancelled. */
export function probeTcp(
  target: { readonly host: string; readonly port: number },
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Observation> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const limit = AbortSignal.timeout(timeoutMs);
    const socket = connect({ ...target, signal: AbortSignal.any([signal, limit]) });
    const observe = (error: string | null): Observation => ({
      connected: error === null,
      value: error === null ? 1 : 0,
      latencyMs: performance.now() - startedAt,
      error,
      ...farEnd(socket),
    });
    socket.once('connect', () => {
      resolve(observe(null));
      socket.destroy();
    });
    socket.once('error', (error) => {
      if (signal.aborted) return reject(asError(signal.reason));
      try {
        const message = limit.aborted ? `no connection within ${timeoutMs} ms` : describeProbeError(error);
        resolve({ ...observe(message), isCheckBroken: isBrokenCheck(error) });
      } catch (cause) {
        reject(asError(cause));
      }
    });
  });
}

function asError(reason: unknown): Error {
  return isNativeError(reason) ? reason : new Error(String(reason));
}
