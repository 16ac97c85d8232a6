import { setTimeout as delay } from 'node:timers/promises';
import { ControlRefused } from '../client/control-errors';
import type { ServiceConfig } from '../config/config';
import type {
  ControlOutcome,
  ControlRequest,
  ControlResult,
  ProcessExit,
  ServiceEvent,
  ServiceState,
  ServiceStatus,
} from '../domain/service-state';
import type { DesiredStore } from './desired-store';
import { fence, isTicket } from './fence';
import type { Guardian } from './guardian';
import type { LogWriter } from './log-writer';
import { describeExit, ManagedProcess, MissingExecutable } from './managed-process';
import { ReadinessWatch } from './readiness';
import { Serial } from './serial';

export interface ServiceDependencies {
  readonly runId: string;
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Replaces `${env:NAME}`; throws when the variable is not set. */
  readonly resolveSecrets: (value: string) => string;
  readonly log: LogWriter;
  readonly guardian: Guardian;
  readonly desired: DesiredStore;
  readonly publish: (kind: ServiceEvent['kind'], asked: boolean, service: ServiceStatus) => void;
}

interface Life {
  readonly process: ManagedProcess;
  readonly watch: ReadinessWatch;
}

type Step = { readonly outcome: ControlOutcome; readonly message: string; readonly life?: Life };

/** A repair does not wait for the manners of a process that is silent already. */
const TICKET_GRACE_MS = 1_000;
/** Enough for every call that a crash can leave open; a supervisor that dies takes what it did with it. */
const KEPT_OPERATIONS = 100;

/** One service: its state, and the only way to change it. Orders are fenced and taken one after the other. */
export class ServiceControl {
  readonly name: string;
  /** The last start failed because there is nothing to execute. */
  isMissingExecutable = false;
  private readonly orders = new Serial();
  private readonly operations = new Map<string, Promise<ControlResult>>();
  private life: Life | null = null;
  private state: ServiceState;
  private exit: ProcessExit | null = null;
  private starts = 0;
  private isReady = false;
  private isClosing = false;

  constructor(
    private readonly config: ServiceConfig,
    private readonly on: ServiceDependencies,
  ) {
    this.name = config.name;
    this.state = config.command === null ? 'external' : 'stopped';
  }

  get stopTimeoutMs(): number {
    return this.config.stopTimeoutMs;
  }

  status(): ServiceStatus {
    const alive = this.living();
    return {
      name: this.name,
      state: this.state,
      pid: alive?.pid ?? null,
      startedAt: alive?.startedAt ?? null,
      exit: this.exit,
      restarts: Math.max(0, this.starts - 1),
      ready: this.isReady,
      desired: this.on.desired.get(this.name),
    };
  }

  /**
   * Carries out one order. The wait for readiness does not hold up the next order: whoever comes second sees the new
   * process and is fenced, and a person can stop a service that is still booting. An aborted signal only keeps an order
   * from being begun. A repeated `operationId` gets the first result. Throws ControlRefused for a service without a command.
   */
  async act(request: ControlRequest, signal?: AbortSignal): Promise<ControlResult> {
    const { operationId } = request;
    if (operationId === undefined) return this.carryOut(request, signal);
    const earlier = this.operations.get(operationId);
    if (earlier !== undefined) {
      const result = await earlier.catch(() => null);
      // Rejected means not begun: its caller had gone before its turn.
      return result ?? this.act(request, signal);
    }
    const running = this.carryOut(request, signal);
    this.operations.set(operationId, running);
    running.catch(() => this.operations.delete(operationId));
    const [oldest] = this.operations.keys();
    if (this.operations.size > KEPT_OPERATIONS && oldest !== undefined) this.operations.delete(oldest);
    return running;
  }

  /** Ends the process for the shutdown of the whole harness; leaves what people want of it unchanged. */
  async shutdown(graceMs: number): Promise<void> {
    this.isClosing = true;
    await this.end(graceMs, false);
    await this.orders.idle();
    await this.end(graceMs, false);
    await this.life?.process.outputEnded();
    await this.on.log.close();
  }

  killNow(): void {
    this.isClosing = true;
    this.life?.process.killNow();
  }

  private async carryOut(request: ControlRequest, signal?: AbortSignal): Promise<ControlResult> {
    if (this.config.command === null) {
      throw new ControlRefused(
        400,
        `${this.name} has no "command": the harness does not run it, so it cannot ${request.action} it.`,
      );
    }
    const step = await this.orders.run(async () => {
      signal?.throwIfAborted();
      if (this.isClosing) throw new ControlRefused(503, 'The harness is shutting down; nothing was done.');
      return this.perform(request);
    });
    if (step.life === undefined) return this.result(step.outcome, step.message);
    return this.awaitReady(step.life, step);
  }

  private async perform(request: ControlRequest): Promise<Step> {
    const reason = fence(request, this.status());
    if (reason !== null) return { outcome: 'fenced', message: reason };
    const wasDesired = this.on.desired.get(this.name);
    if (!isTicket(request)) this.on.desired.set(this.name, request.action === 'stop' ? 'stopped' : 'running');
    const alive = this.living();
    switch (request.action) {
      case 'start':
        if (alive === null) return this.launch(request.by);
        return {
          outcome: 'noop',
          message: `${this.name} already runs (pid ${alive.pid}).`,
          ...(this.life !== null && { life: this.life }),
        };
      case 'stop':
        return this.performStop(request, wasDesired);
      case 'restart': {
        if (alive !== null) {
          this.on.log.note(`restarting, ordered by ${request.by}`, alive.pid);
          const { stopTimeoutMs } = this.config;
          await this.end(isTicket(request) ? Math.min(TICKET_GRACE_MS, stopTimeoutMs) : stopTimeoutMs, true);
        }
        return this.launch(request.by);
      }
    }
  }

  private async performStop(request: ControlRequest, wasDesired: ServiceStatus['desired']): Promise<Step> {
    const alive = this.living();
    if (alive !== null) {
      this.on.log.note(`stopping, ordered by ${request.by}`, alive.pid);
      await this.end(this.config.stopTimeoutMs, false);
      return { outcome: 'performed', message: `${this.name} is stopped (was pid ${alive.pid}).` };
    }
    await this.life?.process.killLeftovers();
    const isNews = this.state !== 'stopped' || wasDesired !== this.on.desired.get(this.name);
    this.state = 'stopped';
    if (!isNews) return { outcome: 'noop', message: `${this.name} already is stopped.` };
    this.on.publish('stopped', true, this.status());
    return { outcome: 'performed', message: `${this.name} had no living process; it now counts as stopped.` };
  }

  private async launch(by: string): Promise<Step> {
    const { command, cwd, ready } = this.config;
    await this.life?.process.killLeftovers();
    this.on.log.clearRecent();
    this.starts += 1;
    this.isReady = false;
    this.isMissingExecutable = false;
    let process: ManagedProcess;
    try {
      const env = { ...this.on.baseEnv, ...this.resolvedEnv() };
      const spec = { name: this.name, command: command ?? [], cwd, env, runId: this.on.runId, ipc: false };
      process = await ManagedProcess.launch(spec, this.on.log, this.on.guardian);
    } catch (error) {
      return this.launchFailed(error);
    }
    if (this.isClosing) process.killNow();
    const watch = new ReadinessWatch(
      process,
      ready.url === null ? { kind: 'running' } : { kind: 'url', url: ready.url },
    );
    this.life = { process, watch };
    this.state = 'starting';
    this.on.log.note(`started, ordered by ${by}`, process.pid);
    this.on.publish('starting', true, this.status());
    this.follow(this.life);
    return { outcome: 'performed', message: `${this.name} started (pid ${process.pid}).`, life: this.life };
  }

  private resolvedEnv(): Record<string, string> {
    return Object.fromEntries(
      Object.entries(this.config.env).map(([name, value]) => [name, this.on.resolveSecrets(value)]),
    );
  }

  private launchFailed(error: unknown): Step {
    this.isMissingExecutable = error instanceof MissingExecutable;
    const problem = error instanceof Error ? error.message : String(error);
    this.state = 'exited';
    this.life = null;
    this.exit = { code: null, signal: null, at: new Date().toISOString() };
    this.on.log.note(`cannot start: ${problem}`);
    this.on.publish('exited', false, this.status());
    return { outcome: 'failed', message: problem };
  }

  private follow(life: Life): void {
    void life.watch.outcome.then((outcome) => {
      if (outcome === 'gone' || this.life !== life || life.process.exit !== null) return;
      this.isReady = true;
      this.state = 'running';
      this.on.publish('ready', true, this.status());
    });
    void life.process.exited.then((exit) => {
      if (this.life !== life) return;
      const asked = life.process.stopAsked;
      this.exit = exit;
      this.isReady = false;
      this.state = asked ? 'stopped' : 'exited';
      this.on.log.note(describeExit(exit), life.process.pid);
      this.on.publish(asked ? 'stopped' : 'exited', asked, this.status());
    });
  }

  private async awaitReady(life: Life, step: Step): Promise<ControlResult> {
    const { process, watch } = life;
    const { timeoutMs } = this.config.ready;
    const timer = new AbortController();
    const leftMs = Math.max(0, timeoutMs - process.ageMs);
    const late = delay(leftMs, 'late' as const, { signal: timer.signal }).catch(() => 'late' as const);
    const outcome = await Promise.race([watch.outcome, late]);
    timer.abort();
    switch (outcome) {
      case 'ready':
        return this.result(step.outcome, step.message);
      case 'gone': {
        await process.outputEnded();
        const exit = await process.exited;
        return this.result('failed', `${this.name} was not ready before it ended: ${describeExit(exit)}.`);
      }
      case 'late':
        // It keeps running: a slow start is no reason to lose what it has done so far.
        if (this.life === life && process.exit === null) this.state = 'running';
        return this.result(
          'failed',
          `${this.name} runs (pid ${process.pid}) but was not ready within ${timeoutMs} ms: ${watch.lastProblem ?? 'no answer yet'}. It was left running.`,
        );
    }
  }

  private async end(graceMs: number, killSuspended: boolean): Promise<void> {
    await this.life?.process.stop({ graceMs, killSuspended });
  }

  private living(): ManagedProcess | null {
    return this.life !== null && this.life.process.exit === null ? this.life.process : null;
  }

  private result(outcome: ControlOutcome, message: string): ControlResult {
    const lastLines = outcome === 'failed' ? [...this.on.log.recent] : [];
    return { outcome, service: this.status(), message, lastLines };
  }
}
