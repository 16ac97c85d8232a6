import { Context } from '@temporalio/activity';

const HEARTBEAT_MS = 400;

/** Heartbeats while `work` runs, so that a lost worker and a cancellation are noticed; `work` gets the cancellation as a signal. */
export async function whileHeartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
