import type { ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchRun } from '../../src/client/history';
import type { TemporalAccess } from '../../src/client/temporal';
import { RUN_MARK } from '../../src/client/process-mark';
import { connectTemporal } from '../../src/client/temporal';
import { FaultyServices, health } from './faulty-services';
import type { HeldCall } from './grpc-call';
import { textField } from './grpc-call';
import type { Json } from './harness-process';
import { exitOf } from './harness-process';
import { SlowTemporal } from './slow-temporal';
import type { Moment, PendingActivity, Step, WorkerName } from './ticket-steps';
import { MOMENTS, momentOf } from './ticket-steps';
import { waitFor } from './wait-for';

/** `supervisor` takes its children with it; `everything` is every process at once, the guardian included. */
export type Victim = WorkerName | 'temporal' | 'supervisor' | 'everything';

/** What came of one ticket that was at a step when something died. */
export interface Cell {
  /** Where the ticket was by its history, in the moment of the kill. */
  readonly landed: Moment | 'elsewhere';
  /** The ticket that was open then. */
  readonly ticketId: string;
  /** The newest ticket of the service once it was closed. */
  readonly closed: Json;
  readonly newTickets: number;
  readonly newRuns: number;
  /** Starts of the service as it counted them itself. */
  readonly newStarts: number;
}

interface BenchOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly change?: (config: Json) => void;
}

interface Held {
  readonly worker: WorkerName;
  readonly call: HeldCall;
}

interface Worker {
  readonly process: ChildProcess;
  readonly temporal: SlowTemporal;
}

const WORKERS = ['agent', 'monitor'] as const;
/** Of one incident; the registry and the schedule's sweeps live on. */
const TICKET_WORKFLOWS = ['RemediateTicket', 'TriageFailure', 'CheckNow'];
/** temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_STARTED */
const STARTED = 2;

const invariant = (service: string): string => `${service}_healthy`;

/**
 * One harness with a service per moment, whose agent and monitor are processes of their own that reach Temporal through a
 * slow server each. One kill hits three tickets: each is at the same step, in another moment.
 */
export class CrashBench {
  private readonly workers = new Map<WorkerName, Worker>();

  private constructor(
    readonly faulty: FaultyServices,
    /** The newest `harness run`. */
    private main: ChildProcess,
  ) {}

  /** `env` is that of every process started here; `change` is for what only one suite needs in the configuration. */
  static async create({ env = {}, change }: BenchOptions = {}): Promise<CrashBench> {
    const services = MOMENTS.map((name) => [name, { [invariant(name)]: health() }] as const);
    const faulty = await FaultyServices.create(Object.fromEntries(services), change);
    Object.assign(faulty.workspace.env, env);
    return new CrashBench(faulty, await faulty.workspace.run());
  }

  async dispose(): Promise<void> {
    await this.faulty.workspace.dispose();
    for (const { temporal } of this.workers.values()) await temporal.close();
  }

  /**
   * Ends it as a person would, with SIGINT: `harness run` first, then the workers that were started beside it. Resolves with what
   * was there of the run before, and what is left of it and of everything else.
   */
  async stop(): Promise<{ readonly ofRun: number; readonly left: number[]; readonly code: number | null }> {
    const { workspace } = this.faulty;
    const runId = this.runId();
    const ofRun = processesOf(runId).length;
    this.main.kill('SIGINT');
    const code = await exitOf(this.main);
    // The guardian outlives it for a moment, to see that everything has ended.
    await waitFor('no guardian is left', () => Promise.resolve(this.guardians(runId).length === 0));
    const left = processesOf(runId);
    for (const { process: worker } of this.workers.values()) worker.kill('SIGINT');
    await Promise.all(workspace.children.map((child) => exitOf(child)));
    return { ofRun, left: [...left, ...workspace.processes()], code };
  }

  /** All services are up, nothing is remembered of earlier failures, and both workers listen to their slow servers. */
  async prepare(): Promise<void> {
    await this.untilUp();
    for (const name of WORKERS) {
      if (this.workers.has(name)) continue;
      // The one that `harness run` has started; it goes in peace.
      process.kill(await this.faulty.workspace.componentPid(name), 'SIGTERM');
      await this.startWorker(name);
    }
    for (const service of MOMENTS) {
      await this.faulty.workspace.api('POST', '/pause', { target: service });
      await this.faulty.workspace.api('POST', '/resume', { target: service });
    }
    await this.untilUp();
    await this.untilIdle();
  }

  /** Breaks the services, waits until each ticket is at its moment of the step, kills, and starts again what died. */
  async crash(victim: Victim, step: Step): Promise<Record<Moment, Cell>> {
    return await this.crashWhen(victim, {
      arm: async () => (await Promise.all(MOMENTS.map((moment) => this.holdAt(step, moment)))).flat(),
      stepOf: () => step,
    });
  }

  /** The same when `arm`, which is called before anything breaks, resolves; each ticket should be at its step by then. */
  async crashWhen(
    victim: Victim,
    {
      arm,
      stepOf,
    }: { readonly arm: () => Promise<readonly Held[]>; readonly stepOf: (service: Moment) => Step },
  ): Promise<Record<Moment, Cell>> {
    await this.prepare();
    const before = await this.counts();
    try {
      const arming = arm();
      await this.breakServices();
      const steps = MOMENTS.map((moment) => stepOf(moment).activity).join(', ');
      const held = await withLimit(arming, `every ticket is at its step (${steps})`);
      const landed = await this.landed(stepOf);
      const died = await this.kill(victim);
      for (const { worker, call } of held) {
        if (died === 'temporal' || died.includes(worker)) call.drop();
        else call.release();
      }
      await this.revive(victim);
      return await this.outcomes(before, landed);
    } finally {
      for (const { temporal } of this.workers.values()) temporal.release();
    }
  }

  async breakServices(): Promise<void> {
    for (const service of MOMENTS) process.kill(await this.faulty.pid(service), 'SIGKILL');
  }

  /** The run of a ticket is over, and whatever led to it too. */
  async untilIdle(): Promise<void> {
    await waitFor(
      'no workflow of an incident runs',
      async () => {
        const running = await this.runs(`ExecutionStatus = 'Running'`);
        const open = running.filter((type) => TICKET_WORKFLOWS.includes(type));
        if (open.length > 0) throw new Error(open.join(', '));
        return true;
      },
      { limitMs: 60_000, everyMs: 100 },
    );
  }

  /** Processes of the services under test that live now. */
  serviceProcesses(): number {
    const isService = (pid: number) =>
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('faulty-service.js');
    return this.faulty.workspace.processes().filter(isService).length;
  }

  /** They outlive a supervisor for a moment; they know of this directory only by the run's ID. */
  private guardians(runId = this.runId()): number[] {
    return processesThat((pid) => {
      const command = readProc(pid, 'cmdline');
      return command.includes('harness-guardian') && command.includes(runId);
    });
  }

  private runId(): string {
    return readFileSync(join(this.faulty.workspace.dataDir, 'run', 'run-id'), 'utf8').trim();
  }

  worker(name: WorkerName): Worker {
    const worker = this.workers.get(name);
    if (!worker) throw new Error(`no ${name} of this bench runs`);
    return worker;
  }

  private async untilUp(): Promise<void> {
    for (const service of MOMENTS) await this.faulty.workspace.untilUp(invariant(service));
  }

  private async startWorker(name: WorkerName): Promise<void> {
    const { workspace } = this.faulty;
    const temporal = await SlowTemporal.start(this.temporalAddress());
    workspace.env['TEMPORAL_ADDRESS'] = temporal.address;
    const child = await workspace.start(name);
    delete workspace.env['TEMPORAL_ADDRESS'];
    this.workers.set(name, { process: child, temporal });
    await waitFor(
      `${name} asks for work`,
      () =>
        Promise.resolve(
          temporal.hasSeen('PollActivityTaskQueue') && temporal.hasSeen('PollWorkflowTaskQueue'),
        ),
      { limitMs: 30_000 },
    );
  }

  /** Resolves when the ticket of this moment's service is there. */
  private async holdAt(step: Step, moment: Moment): Promise<Held[]> {
    const agent = this.worker('agent').temporal;
    // Field 2 of a task token is the workflow's ID, field 8 the activity's type.
    const ticket = textField(2, invariant(moment));
    if (moment === 'before') {
      const call = agent.hold({
        method: 'RespondWorkflowTaskCompleted',
        contains: [ticket, scheduling(step.activity)],
        nth: step.nth,
      });
      await call.reached;
      return [{ worker: 'agent', call }];
    }
    const end = this.worker(step.worker).temporal.hold({
      method: 'RespondActivityTaskCompleted',
      contains: [ticket, textField(8, step.activity)],
      nth: step.nth,
    });
    await end.reached;
    if (moment === 'inside') return [{ worker: step.worker, call: end }];
    // The server hears of the end, but nobody hears the server; and what the workflow makes of it stays with the agent.
    const contains = step.next === undefined ? [ticket] : [ticket, scheduling(step.next)];
    const next = agent.hold({ method: 'RespondWorkflowTaskCompleted', contains, nth: 1 });
    await end.forward();
    await next.reached;
    return [
      { worker: step.worker, call: end },
      { worker: 'agent', call: next },
    ];
  }

  private async landed(
    stepOf: (service: Moment) => Step,
  ): Promise<Map<Moment, Pick<Cell, 'landed' | 'ticketId'>>> {
    const [temporal, tickets] = await Promise.all([
      this.withTemporal((access) =>
        Promise.all(
          MOMENTS.map(async (moment) => {
            const handle = access.client.workflow.getHandle(invariant(moment));
            const { raw } = await handle.describe();
            const pending = (raw.pendingActivities ?? []).map(
              ({ activityType, state, attempt }): PendingActivity => ({
                activity: activityType?.name ?? '',
                isStarted: Number(state) === STARTED,
                attempt: attempt ?? 0,
              }),
            );
            return momentOf(await fetchRun(access, invariant(moment)), pending, stepOf(moment));
          }),
        ),
      ),
      Promise.all(MOMENTS.map((moment) => this.faulty.tickets(moment))),
    ]);
    return new Map(
      MOMENTS.map((moment, index) => [
        moment,
        { landed: temporal[index] ?? 'elsewhere', ticketId: String(tickets[index]?.[0]?.['id']) },
      ]),
    );
  }

  /** Resolves when it is dead, with those whose calls died too. */
  private async kill(victim: Victim): Promise<'temporal' | readonly WorkerName[]> {
    const { workspace } = this.faulty;
    switch (victim) {
      case 'agent':
      case 'monitor': {
        const { process: child, temporal } = this.worker(victim);
        child.kill('SIGKILL');
        await exitOf(child);
        await temporal.close();
        this.workers.delete(victim);
        return [victim];
      }
      case 'temporal': {
        const pid = await workspace.componentPid('temporal');
        process.kill(pid, 'SIGKILL');
        await waitFor('the supervisor has seen Temporal die', async () => {
          return (await workspace.componentPid('temporal').catch(() => null)) !== pid;
        });
        return 'temporal';
      }
      case 'supervisor':
      case 'everything': {
        const started = workspace.children.flatMap(({ pid, exitCode, signalCode }) =>
          pid !== undefined && exitCode === null && signalCode === null ? [pid] : [],
        );
        const pids = victim === 'supervisor' ? started : [...this.guardians(), ...workspace.processes()];
        pids.forEach(killIfAlive);
        await waitFor('all of it is dead', () => Promise.resolve(workspace.processes().length === 0));
        for (const { temporal } of this.workers.values()) await temporal.close();
        this.workers.clear();
        return WORKERS;
      }
    }
  }

  /** Does what a person would do. */
  private async revive(victim: Victim): Promise<void> {
    switch (victim) {
      case 'agent':
      case 'monitor':
        return await this.startWorker(victim);
      case 'temporal':
        // Nothing: the supervisor starts another one.
        await waitFor('another Temporal runs', () => this.faulty.workspace.componentPid('temporal'), {
          limitMs: 30_000,
        });
        await waitFor('it answers', () => this.withTemporal(() => Promise.resolve(true)), {
          limitMs: 30_000,
        });
        return;
      case 'supervisor':
      case 'everything':
        this.main = await this.faulty.workspace.run();
    }
  }

  private async counts(): Promise<ReadonlyMap<Moment, { tickets: number; runs: number; starts: number }>> {
    const entries = MOMENTS.map(async (moment) => {
      const [tickets, runs] = await Promise.all([
        this.faulty.tickets(moment),
        this.runs(`WorkflowId = '${invariant(moment)}'`),
      ]);
      return [
        moment,
        { tickets: tickets.length, runs: runs.length, starts: this.faulty.starts(moment) },
      ] as const;
    });
    return new Map(await Promise.all(entries));
  }

  private async outcomes(
    before: Awaited<ReturnType<CrashBench['counts']>>,
    landed: Awaited<ReturnType<CrashBench['landed']>>,
  ): Promise<Record<Moment, Cell>> {
    const closed = await Promise.all(
      MOMENTS.map((moment) => this.faulty.closedTicket(moment, (before.get(moment)?.tickets ?? 0) + 1)),
    );
    await this.untilIdle();
    const after = await this.counts();
    const cells = MOMENTS.map((moment, index): [Moment, Cell] => {
      const more = (count: 'tickets' | 'runs' | 'starts') =>
        (after.get(moment)?.[count] ?? 0) - (before.get(moment)?.[count] ?? 0);
      return [
        moment,
        {
          landed: landed.get(moment)?.landed ?? 'elsewhere',
          ticketId: landed.get(moment)?.ticketId ?? '',
          closed: closed[index] ?? {},
          newTickets: more('tickets'),
          newRuns: more('runs'),
          newStarts: more('starts'),
        },
      ];
    });
    return Object.fromEntries(cells) as Record<Moment, Cell>;
  }

  /** Workflow types of the runs that a query finds. */
  private async runs(query: string): Promise<string[]> {
    return await this.withTemporal(async ({ client }) => {
      const types: string[] = [];
      for await (const { type } of client.workflow.list({ query })) types.push(type);
      return types;
    });
  }

  private temporalAddress(): string {
    return String(this.faulty.workspace.endpoints()?.['temporal_address']);
  }

  private async withTemporal<T>(use: (access: TemporalAccess) => Promise<T>): Promise<T> {
    const target = { address: this.temporalAddress(), namespace: 'default' };
    const access = await connectTemporal(target, { timeoutMs: 5_000 });
    try {
      return await use(access);
    } finally {
      await access.close();
    }
  }
}

/** How a workflow's decision to order an activity is written. */
function scheduling(activity: string): Buffer {
  // ScheduleActivityTaskCommandAttributes.activity_type = 2 { name = 1 }
  const name = textField(1, activity);
  return Buffer.concat([Buffer.from([0x12, name.length]), name]);
}

/** What a run started, and all that came of it. */
function processesOf(runId: string): number[] {
  return processesThat((pid) => readProc(pid, 'environ').includes(`${RUN_MARK}=${runId}`));
}

function processesThat(is: (pid: number) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(is);
}

function readProc(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It died with its parent.
  }
}

async function withLimit<T>(work: Promise<T>, what: string, limitMs = 30_000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
