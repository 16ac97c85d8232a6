import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { OutputCollector } from './output-collector';

export interface RunRequest {
  /** Absolute real path; never looked up. */
  readonly file: string;
  /** With the program's name first. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly exitCode: number | null;
  readonly exitSignal: string | null;
  readonly timedOut: boolean;
  readonly durationMs: number;
  readonly output: OutputCollector;
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A process in uninterruptible sleep survives SIGKILL; it is left to the kernel after this long. */
const LAST_WAIT_MS = 500;
/** How long the rest of the output may take after the end; a process that left the group may hold the pipes for ever. */
const DRAIN_MS = 250;

/**
 * Runs a program without a shell, in a process group of its own, with closed stdin. On timeout or abort the group gets
 * SIGTERM and after the grace SIGKILL; what the program left running in its group dies with it in any case. Rejects with
 * the signal's reason when aborted (after the group has ended), with ENOENT and the like when it cannot be started.
 */
export async function runProcess(request: RunRequest): Promise<RunResult> {
  request.signal.throwIfAborted();
  const startedAt = performance.now();
  const [argv0 = request.file, ...args] = request.argv;
  const child = spawn(request.file, args, {
    argv0,
    cwd: request.cwd,
    env: { ...request.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = new OutputCollector();
  child.stdout.on('data', (chunk: Buffer) => output.add(chunk));
  child.stderr.on('data', (chunk: Buffer) => output.add(chunk));
  const closed = once(child, 'close').catch(() => undefined);
  const timeout = AbortSignal.timeout(request.timeoutMs);
  const stop = AbortSignal.any([request.signal, timeout]);
  try {
    const { code, signal } = await waitForEnd(child, stop, request.graceMs);
    const timedOut = timeout.aborted;
    killGroup(child, 'SIGKILL');
    await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
    request.signal.throwIfAborted();
    return {
      exitCode: code,
      exitSignal: signal,
      timedOut,
      durationMs: performance.now() - startedAt,
      output,
    };
  } finally {
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }
}

function waitForEnd(child: ChildProcess, stop: AbortSignal, graceMs: number): Promise<End> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onStop = (): void => {
      killGroup(child, 'SIGTERM');
      timer = setTimeout(() => {
        killGroup(child, 'SIGKILL');
        timer = setTimeout(() => finish({ code: null, signal: null }), LAST_WAIT_MS);
      }, graceMs);
    };
    const settle = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', onStop);
    };
    const finish = (end: End): void => {
      settle();
      resolve(end);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('exit', (code, signal) => finish({ code, signal }));
    if (stop.aborted) onStop();
    else stop.addEventListener('abort', onStop, { once: true });
  });
}

/** The group's ID is the child's process ID, because it leads a session of its own. */
function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    // ESRCH: nothing is left, which is what was wanted. EPERM: only zombies are left (macOS).
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}
