import { setTimeout as delay } from 'node:timers/promises';
import type { ComponentStatus, ProcessExit } from '../domain/service-state';
import type { Guardian } from './guardian';
import type { LogWriter } from './log-writer';
import { describeExit, ManagedProcess } from './managed-process';
import { untilSilent } from './liveness';
import type { Liveness } from './liveness';
import { ReadinessWatch } from './readiness';
import type { Readiness } from './readiness';

/** One of the harness's own processes. */
export interface ComponentSpec {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** `message` opens an IPC channel. */
  readonly ready: Readiness;
  readonly readyTimeoutMs: number;
  readonly stopTimeoutMs: number;
  /** Absent: only its death is noticed. A process that hangs is killed, and then dead like any other. */
  readonly liveness?: Liveness;
  /** Absent: it is never started again. `attempt` counts from 1 and starts over after a minute of life. */
  readonly restart?: { backoffMs(attempt: number): number };
}

export interface ComponentEvent {
  readonly kind: 'starting' | 'ready' | 'hung' | 'exited' | 'stopped';
  /** With `exited`: it will be started again after so many milliseconds. */
  readonly restartInMs: number | null;
  readonly component: ComponentStatus;
}

/** A component did not become ready; it is not running any more. */
export class StartFailed extends Error {
  override readonly name = 'StartFailed';
  constructor(
    message: string,
    readonly lastLines: readonly string[],
  ) {
    super([message, ...lastLines.map((line) => `  ${line}`)].join('\n'));
  }
}

export interface ComponentDependencies {
  readonly runId: string;
  readonly log: LogWriter;
  readonly guardian: Guardian;
  readonly publish: (event: ComponentEvent) => void;
}

const SETTLED_MS = 60_000;

/** Runs one component and, if its spec says so, starts it again when it dies. */
export class Component {
  private process: ManagedProcess | null = null;
  private state: ComponentStatus['state'] = 'stopped';
  private exit: ProcessExit | null = null;
  private attempt = 0;
  /** Resolves when what the last process left behind has ended. */
  private cleared: Promise<unknown> = Promise.resolve();
  private readonly closing = new AbortController();

  constructor(
    readonly spec: ComponentSpec,
    private readonly on: ComponentDependencies,
  ) {}

  get stopTimeoutMs(): number {
    return this.spec.stopTimeoutMs;
  }

  status(): ComponentStatus {
    const pid = this.process !== null && this.process.exit === null ? this.process.pid : null;
    return { name: this.spec.name, state: this.state, pid, exit: this.exit };
  }

  /** Ready when it resolves. Rejects with MissingExecutable or StartFailed; then it is not running. */
  async start(): Promise<void> {
    const { process, watch } = await this.launch();
    const outcome = await Promise.race([watch.outcome, this.timeout()]);
    if (outcome === 'ready') {
      void process.exited.then((exit) => this.ended(process, exit));
      void this.killWhenHung(process);
      return;
    }
    const problem =
      outcome === 'gone'
        ? describeExit(await process.exited)
        : `was not ready within ${this.spec.readyTimeoutMs} ms${watch.lastProblem === null ? '' : ` (${watch.lastProblem})`}`;
    this.exit = await process.stop({ graceMs: this.spec.stopTimeoutMs, killSuspended: true });
    await process.outputEnded();
    this.change('exited', null);
    throw new StartFailed(`${this.spec.name} ${problem}.`, [...this.on.log.recent]);
  }

  /** Ends it for good. */
  async shutdown(graceMs: number): Promise<void> {
    this.closing.abort();
    const { process } = this;
    if (process !== null) {
      this.exit = await process.stop({ graceMs, killSuspended: false });
      await process.outputEnded();
      this.change('stopped', null);
    }
    await this.on.log.close();
  }

  killNow(): void {
    this.closing.abort();
    this.process?.killNow();
  }

  private async launch(): Promise<{ process: ManagedProcess; watch: ReadinessWatch }> {
    const { name, command, cwd, env, ready } = this.spec;
    // The next process carries the same marks: it must not be taken for a leftover of this one.
    await this.cleared;
    this.on.log.clearRecent();
    const spec = { name, command, cwd, env, runId: this.on.runId, ipc: ready.kind === 'message' };
    const process = await ManagedProcess.launch(spec, this.on.log, this.on.guardian);
    this.process = process;
    if (this.closing.signal.aborted) process.killNow();
    this.change('starting', null);
    const watch = new ReadinessWatch(process, ready);
    void watch.outcome.then((outcome) => {
      if (outcome === 'ready' && process.exit === null && !process.stopAsked) this.change('running', null);
    });
    return { process, watch };
  }

  private async killWhenHung(process: ManagedProcess): Promise<void> {
    if (this.spec.liveness === undefined) return;
    const silentMs = await untilSilent(process, this.spec.liveness);
    if (silentMs === null || process.stopAsked || this.closing.signal.aborted) return;
    this.on.log.note(`does not answer since ${Math.round(silentMs / 1_000)} s: killed`, process.pid);
    this.on.publish({ kind: 'hung', restartInMs: null, component: this.status() });
    process.killGroup();
  }

  private ended(process: ManagedProcess, exit: ProcessExit): void {
    if (process.stopAsked || this.closing.signal.aborted) return;
    this.exit = exit;
    this.cleared = process.killLeftovers();
    this.on.log.note(describeExit(exit), process.pid);
    if (Date.parse(exit.at) - Date.parse(process.startedAt) > SETTLED_MS) this.attempt = 0;
    this.attempt += 1;
    const restartInMs = this.spec.restart?.backoffMs(this.attempt) ?? null;
    this.change('exited', restartInMs);
    if (restartInMs !== null) void this.restart(restartInMs);
  }

  private async restart(afterMs: number): Promise<void> {
    const { signal } = this.closing;
    await delay(afterMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      await this.start();
    } catch (error) {
      if (signal.aborted) return;
      this.on.log.note(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
      this.attempt += 1;
      const next = this.spec.restart?.backoffMs(this.attempt) ?? null;
      this.change('exited', next);
      if (next !== null) await this.restart(next);
    }
  }

  private change(state: ComponentStatus['state'], restartInMs: number | null): void {
    this.state = state;
    const kind = state === 'running' ? 'ready' : state;
    this.on.publish({ kind, restartInMs, component: this.status() });
  }

  private async timeout(): Promise<'late'> {
    await delay(this.spec.readyTimeoutMs, undefined, { ref: false });
    return 'late';
  }
}
