import { mkdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { ControlRefused } from '../client/control-errors';
import type { ServiceConfig } from '../config/config';
import { paths } from '../config/paths';
import type {
  Control,
  ControlRequest,
  ControlResult,
  ControlSnapshot,
  ServiceEvent,
} from '../domain/service-state';
import { Component } from './component';
import type { ComponentEvent, ComponentSpec } from './component';
import { DesiredStore } from './desired-store';
import { startGuardian } from './guardian';
import type { LogOutput } from './log-output';
import { LogWriter } from './log-writer';
import { markedProcesses, sendSignal } from './process-table';
import { ServiceControl } from './service-control';

export interface SupervisorOptions {
  readonly dataDir: string;
  /** From `beginRun`; marks every process of this run. */
  readonly runId: string;
  /** In start order (dependencies first), as the configuration has them. */
  readonly services: readonly ServiceConfig[];
  readonly output: LogOutput;
  /** What each service gets besides its configured `env`: PATH, HOME, LANG. */
  readonly baseEnv: Readonly<Record<string, string>>;
  /** Replaces `${env:NAME}` in a service's environment value; throws when the variable is not set. */
  readonly resolveSecrets: (value: string) => string;
}

/** What came of a service at the start of a run. */
export type StartReport =
  /** `missingExecutable`: the configuration is wrong; trying again cannot help. */
  | {
      readonly service: string;
      readonly kind: 'tried';
      readonly result: ControlResult;
      readonly missingExecutable: boolean;
    }
  | { readonly service: string; readonly kind: 'skipped'; readonly reason: string };

/** All of `stopAll`, the last kills included, stays below 10 s. */
const STOP_ALL_MS = 8_500;
const LAST_KILL_MS = 1_000;
const MIN_KILL_MS = 50;

/** Starts, logs and stops the processes of one run; restarts no service unless ordered to. */
export class Supervisor implements Control {
  private readonly guardian;
  private readonly desired: DesiredStore;
  private readonly services = new Map<string, ServiceControl>();
  private readonly components = new Map<string, Component>();
  /** In the order of their first start. */
  private readonly started: (ServiceControl | Component)[] = [];
  private readonly eventListeners = new Set<(event: ServiceEvent) => void>();
  private readonly componentListeners = new Set<(event: ComponentEvent) => void>();
  private seq = 0;
  private stopping: Promise<void> | null = null;

  constructor(private readonly options: SupervisorOptions) {
    mkdirSync(paths.run(options.dataDir), { recursive: true, mode: 0o700 });
    this.desired = new DesiredStore(options.dataDir);
    this.guardian = startGuardian(options.runId);
    for (const config of options.services) {
      this.services.set(config.name, new ServiceControl(config, this.serviceDependencies(config.name)));
    }
  }

  /** The whole state now. */
  current(): ControlSnapshot {
    return {
      services: [...this.services.values()].map((service) => service.status()),
      components: [...this.components.values()].map((component) => component.status()),
    };
  }

  snapshot(): Promise<ControlSnapshot> {
    return Promise.resolve(this.current());
  }

  /** Rejects with ControlRefused for an unknown service or one without a command. */
  async act(request: ControlRequest, signal?: AbortSignal): Promise<ControlResult> {
    const service = this.services.get(request.service);
    if (service === undefined) {
      const known = [...this.services.keys()].join(', ') || 'none';
      throw new ControlRefused(404, `There is no service "${request.service}"; configured: ${known}.`);
    }
    if (!this.started.includes(service)) this.started.push(service);
    return service.act(request, signal);
  }

  /** Whether the last start of a service failed because its executable or working directory is not there. */
  isMissingExecutable(service: string): boolean {
    return this.services.get(service)?.isMissingExecutable ?? false;
  }

  /** Events of services from now on; returns the way to stop listening. */
  onEvent(listener: (event: ServiceEvent) => void): () => void {
    this.eventListeners.add(listener);
    return () => this.eventListeners.delete(listener);
  }

  onComponentEvent(listener: (event: ComponentEvent) => void): () => void {
    this.componentListeners.add(listener);
    return () => this.componentListeners.delete(listener);
  }

  /**
   * Starts every service that is wanted, each after its dependencies; independent ones at the same time. A dependency that
   * does not become ready is waited for until its own time limit, then its dependants start all the same.
   */
  async startServices(): Promise<readonly StartReport[]> {
    const reports = new Map<string, Promise<StartReport>>();
    for (const config of this.options.services) {
      const dependencies = config.dependsOn.flatMap((name) => reports.get(name) ?? []);
      reports.set(config.name, this.startService(config, dependencies));
    }
    return Promise.all([...reports.values()]);
  }

  /** Ready when it resolves. Rejects with MissingExecutable or StartFailed. */
  async startComponent(spec: ComponentSpec): Promise<void> {
    if (this.components.has(spec.name) || this.services.has(spec.name)) {
      throw new Error(`Two processes are called "${spec.name}"; rename the service.`);
    }
    const component = new Component(spec, {
      runId: this.options.runId,
      log: this.openLog(spec.name),
      guardian: this.guardian,
      publish: (event) => this.componentListeners.forEach((listener) => listener(event)),
    });
    this.components.set(spec.name, component);
    this.started.push(component);
    await component.start();
  }

  /** Stops everything in reverse order of start, within 10 s; calling it again waits for the same stop. */
  stopAll(): Promise<void> {
    this.stopping ??= this.stopInOrder();
    return this.stopping;
  }

  /** SIGKILL to everything, before it returns. */
  killAll(): void {
    for (const unit of this.units()) unit.killNow();
    for (const pid of markedProcesses(this.options.runId)) sendSignal(pid, 'SIGKILL');
    this.guardian.close();
  }

  private async stopInOrder(): Promise<void> {
    const deadline = performance.now() + STOP_ALL_MS;
    for (const unit of this.units()) {
      const left = deadline - performance.now();
      // A unit that hangs may use half of what is left, so that those after it still get a share.
      const graceMs = Math.max(0, Math.min(unit.stopTimeoutMs, left / 2));
      const lastMs = Math.max(MIN_KILL_MS, left + LAST_KILL_MS);
      await Promise.race([unit.shutdown(graceMs), delay(lastMs, undefined, { ref: false })]);
    }
    for (const pid of markedProcesses(this.options.runId)) sendSignal(pid, 'SIGKILL');
    this.guardian.close();
  }

  /** Last started first; what was never started is closed too. */
  private units(): readonly (ServiceControl | Component)[] {
    const idle = [...this.services.values()].filter((service) => !this.started.includes(service));
    return [...idle, ...this.started.toReversed()];
  }

  private async startService(
    { name, command }: ServiceConfig,
    dependencies: readonly Promise<StartReport>[],
  ): Promise<StartReport> {
    if (command === null) return { service: name, kind: 'skipped', reason: 'it has no command' };
    if (this.desired.get(name) === 'stopped') {
      const reason = `a person stopped it; "harness service start ${name}" starts it`;
      return { service: name, kind: 'skipped', reason };
    }
    await Promise.all(dependencies);
    const result = await this.act({ service: name, action: 'start', by: 'harness' });
    return { service: name, kind: 'tried', result, missingExecutable: this.isMissingExecutable(name) };
  }

  private serviceDependencies(name: string) {
    const { runId, baseEnv, resolveSecrets } = this.options;
    const publish = (kind: ServiceEvent['kind'], asked: boolean, service: ServiceEvent['service']): void => {
      this.seq += 1;
      const event: ServiceEvent = { seq: this.seq, at: new Date().toISOString(), kind, asked, service };
      for (const listener of this.eventListeners) listener(event);
    };
    return {
      runId,
      baseEnv,
      resolveSecrets,
      publish,
      log: this.openLog(name),
      guardian: this.guardian,
      desired: this.desired,
    };
  }

  private openLog(name: string): LogWriter {
    const show = (line: string): void => this.options.output.show(name, line);
    return new LogWriter(paths.serviceLog(this.options.dataDir, name), { show });
  }
}
