import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { RUN_MARK, SERVICE_MARK } from '../client/process-mark';
import type { ProcessExit } from '../domain/service-state';
import type { Guardian } from './guardian';
import { LineSplitter } from './log-lines';
import type { LogWriter } from './log-writer';
import { groupIsAlive, markedProcesses, processState, sendSignal } from './process-table';

export interface LaunchSpec {
  readonly name: string;
  /** Executable and arguments; never given to a shell. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment of the process, apart from the two marks. */
  readonly env: Readonly<Record<string, string>>;
  readonly runId: string;
  /** Opens a node IPC channel; `{type: 'ready'}` on it resolves `announced`. */
  readonly ipc: boolean;
}

/** The executable or the working directory is not there (or not executable); nothing was started. */
export class MissingExecutable extends Error {
  override readonly name = 'MissingExecutable';
}

const POLL_MS = 20;
const LEFTOVER_LIMIT_MS = 2_000;
const DRAIN_MS = 500;

/** One life of one child process, in a session and process group of its own. Its exit is a state and a promise. */
export class ManagedProcess {
  readonly startedAt = new Date().toISOString();
  private readonly launchedMs = performance.now();
  readonly exited: Promise<ProcessExit>;
  private readonly drained: Promise<void>;
  /** Resolves when the process says `{type: 'ready'}` over IPC. */
  readonly announced: Promise<void>;
  exit: ProcessExit | null = null;
  /** Somebody ordered this end; false for a crash. */
  stopAsked = false;

  private constructor(
    private readonly spec: LaunchSpec,
    child: ChildProcess,
    readonly pid: number,
    log: LogWriter,
    private readonly guardian: Guardian,
  ) {
    guardian.watch(pid);
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.exit = { code, signal, at: new Date().toISOString() };
        if (!groupIsAlive(pid)) guardian.forget(pid);
        resolve(this.exit);
      });
    });
    this.drained = Promise.all([
      forwardLines(child.stdout, (line) => log.write('stdout', pid, line)),
      forwardLines(child.stderr, (line) => log.write('stderr', pid, line)),
    ]).then(() => undefined);
    this.announced = new Promise((resolve) => {
      child.on('message', (message) => {
        if (isReadyMessage(message)) resolve();
      });
    });
    // A channel that breaks is followed by the exit, which is what counts.
    child.on('error', () => undefined);
  }

  /** Starts the process. Rejects with MissingExecutable, or with the system's error (no memory, no descriptors). */
  static async launch(spec: LaunchSpec, log: LogWriter, guardian: Guardian): Promise<ManagedProcess> {
    const [executable = '', ...args] = spec.command;
    const child = spawn(executable, args, {
      cwd: spec.cwd,
      env: { ...spec.env, [RUN_MARK]: spec.runId, [SERVICE_MARK]: spec.name },
      detached: true,
      shell: false,
      stdio: ['ignore', 'pipe', 'pipe', ...(spec.ipc ? (['ipc'] as const) : [])],
    });
    if (child.pid !== undefined) return new ManagedProcess(spec, child, child.pid, log, guardian);
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
    throw launchError(spec, executable, error);
  }

  /** By the monotonic clock: a clock that is set must not end anybody's time to boot. */
  get ageMs(): number {
    return performance.now() - this.launchedMs;
  }

  /**
   * SIGTERM to the group, SIGKILL after `graceMs`, then everything that carries the mark of this service, so that
   * descendants in other sessions end too. `killSuspended`: a process in state T, which cannot hear SIGTERM, is killed at once.
   */
  async stop({ graceMs, killSuspended }: { graceMs: number; killSuspended: boolean }): Promise<ProcessExit> {
    this.stopAsked = true;
    if (this.exit === null && !(killSuspended && processState(this.pid) === 'T')) {
      sendSignal(-this.pid, 'SIGTERM');
      sendSignal(-this.pid, 'SIGCONT');
      const deadline = performance.now() + graceMs;
      while (performance.now() < deadline && (this.exit === null || groupIsAlive(this.pid))) {
        const left = Math.max(0, Math.min(POLL_MS, deadline - performance.now()));
        await (this.exit === null ? Promise.race([this.exited, delay(left)]) : delay(left));
      }
    }
    if (this.exit === null) sendSignal(-this.pid, 'SIGKILL');
    const exit = await this.exited;
    await this.killLeftovers();
    return exit;
  }

  /** Every line of its output has been handed to the log; not waited for longer than 0.5 s, a stranger may hold the pipe. */
  async outputEnded(): Promise<void> {
    await Promise.race([this.drained, delay(DRAIN_MS, undefined, { ref: false })]);
  }

  /** SIGKILL to the group at once; does not wait. */
  killNow(): void {
    this.stopAsked = true;
    this.killGroup();
    for (const pid of markedProcesses(this.spec.runId, this.spec.name)) sendSignal(pid, 'SIGKILL');
  }

  /** Kills what outlived the process (children, daemons); returns how many processes carried the mark. */
  async killLeftovers(): Promise<number> {
    const seen = new Set<number>();
    const deadline = performance.now() + LEFTOVER_LIMIT_MS;
    for (;;) {
      this.killGroup();
      const marked = markedProcesses(this.spec.runId, this.spec.name);
      for (const pid of marked) {
        seen.add(pid);
        sendSignal(pid, 'SIGKILL');
      }
      if (performance.now() > deadline) break;
      if (marked.length === 0 && !this.ownsLiveGroup()) break;
      await delay(POLL_MS);
    }
    this.guardian.forget(this.pid);
    return seen.size;
  }

  /** SIGKILL to the process and its group; its end counts as a crash. */
  killGroup(): void {
    if (this.exit === null || this.ownsLiveGroup()) sendSignal(-this.pid, 'SIGKILL');
  }

  /** The kernel does not give a group's number away while the group has members: a live leader after our exit is a stranger. */
  private ownsLiveGroup(): boolean {
    return this.exit !== null && !sendSignal(this.pid, 0) && groupIsAlive(this.pid);
  }
}

/** `exited with code 1`, `was ended by SIGKILL`. */
export function describeExit(exit: ProcessExit): string {
  return exit.signal === null ? `exited with code ${exit.code}` : `was ended by ${exit.signal}`;
}

function launchError(spec: LaunchSpec, executable: string, error: NodeJS.ErrnoException): Error {
  if (error.code !== 'ENOENT' && error.code !== 'EACCES') return error;
  if (!existsSync(spec.cwd)) {
    return new MissingExecutable(
      `${spec.name}: the working directory ${spec.cwd} does not exist. Create it or correct "cwd".`,
    );
  }
  const problem = error.code === 'EACCES' ? 'may not be executed' : 'was not found';
  return new MissingExecutable(
    `${spec.name}: the executable "${executable}" ${problem} (PATH is ${spec.env['PATH'] ?? 'not set'}). Install it or correct "command".`,
  );
}

function forwardLines(stream: ChildProcess['stdout'], onLine: (line: string) => void): Promise<void> {
  if (stream === null) return Promise.resolve();
  const splitter = new LineSplitter(onLine);
  return new Promise((resolve) => {
    stream.on('data', (chunk: Buffer) => splitter.push(chunk));
    stream.on('error', () => undefined);
    stream.once('close', () => {
      splitter.end();
      resolve();
    });
  });
}

function isReadyMessage(message: unknown): boolean {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready';
}
