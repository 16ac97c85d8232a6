import type { ChildProcess } from 'node:child_process';
import { fetchRun } from '../../src/client/history';
import type { TemporalAccess } from '../../src/client/temporal';
import { connectTemporal } from '../../src/client/temporal';
import type { HistoryEvent } from '../../src/domain/history-event';
import { answeredCalls } from './claude-server/conversation';
import type { AnsweredCall } from './claude-server/conversation';
import type { Fault } from './claude-server/faults';
import type { RecordedRequest } from './claude-server/recorded-request';
import type { ClaudeRequest } from './claude-server/request';
import { turnsOf } from './claude-server/request';
import { runbookPlayer } from './claude-server/runbook-player';
import type { ScriptedTurn } from './claude-server/script';
import type { ClaudeServer } from './claude-server/server';
import { startClaudeServer } from './claude-server/server';
import { FaultyServices, health } from './faulty-services';
import type { Json } from './harness-process';
import { exitOf } from './harness-process';
import { waitFor } from './wait-for';

export const KEY = 'sk-ant-stand-in-0123456789';

/** Requests of a ticket without any fault: look, restart, ask for the proof. */
export const USUAL = 3;

export type Say = (request: ClaudeRequest) => ScriptedTurn;

/** What is planned for one failure of the service. */
export interface Plan {
  /** Left out: the model does what the runbook would do. */
  readonly say?: Say;
  /** By the number of the request within this failure, counted from 1. */
  readonly faults?: Readonly<Record<number, Fault>>;
}

/** What came of it. */
export interface Outcome {
  readonly ticket: Json;
  readonly trajectory: Json;
  readonly history: readonly HistoryEvent[];
  readonly requests: readonly RecordedRequest[];
  readonly newTickets: number;
  /** Starts of the service as it counted them itself. */
  readonly newStarts: number;
}

/** One harness whose agent is Claude, played by the stand-in, over one service that is killed again and again. */
export class ClaudeBench {
  private say: Say = runbookPlayer();
  /** The one that was started here; null while it is that of `harness run`. */
  private agent: ChildProcess | null = null;

  private constructor(
    readonly faulty: FaultyServices,
    readonly model: ClaudeServer,
    readonly service: string,
    private readonly config: Json,
  ) {}

  static async create(
    service: string,
    { change, start = true }: { readonly change?: (config: Json) => void; readonly start?: boolean } = {},
  ): Promise<ClaudeBench> {
    const speaker: { bench?: ClaudeBench } = {};
    const model = await startClaudeServer({
      script: (request) => (speaker.bench?.say ?? runbookPlayer())(request),
      apiKey: KEY,
    });
    let written: Json = {};
    const faulty = await FaultyServices.create(
      { [service]: { [`${service}_healthy`]: health() } },
      (config) => {
        change?.(config);
        written = config;
      },
    );
    faulty.workspace.env['ANTHROPIC_API_KEY'] = KEY;
    faulty.workspace.env['ANTHROPIC_BASE_URL'] = model.baseUrl;
    const bench = new ClaudeBench(faulty, model, service, written);
    speaker.bench = bench;
    if (start) await bench.run();
    return bench;
  }

  async run(): Promise<void> {
    await this.faulty.workspace.run();
    await this.untilUp();
  }

  /** Another agent, with other settings, takes the place of the one that works now. */
  async replaceAgent(settings: Json): Promise<void> {
    const { workspace } = this.faulty;
    workspace.writeConfig({ ...this.config, agent: settings });
    if (this.agent) {
      this.agent.kill('SIGTERM');
      await exitOf(this.agent);
    } else process.kill(await workspace.componentPid('agent'), 'SIGTERM');
    this.agent = await workspace.start('agent');
  }

  async dispose(): Promise<void> {
    await this.faulty.workspace.dispose();
    await this.model.close();
  }

  async untilUp(): Promise<void> {
    await this.faulty.workspace.untilUp(`${this.service}_healthy`);
  }

  /** Nothing is remembered of earlier failures, so that the next one is a new one. */
  async forget(): Promise<void> {
    await this.untilUp();
    for (const verb of ['pause', 'resume']) {
      await this.faulty.workspace.api('POST', `/${verb}`, { target: this.service });
    }
    await this.untilUp();
  }

  /** Says what the model will do from now on. */
  plan({ say = runbookPlayer(), faults = {} }: Plan): void {
    this.say = say;
    this.model.clearFaults();
    const before = this.model.turnRequests.length;
    for (const [number, fault] of Object.entries(faults))
      this.model.injectInTurn(fault, before + Number(number));
  }

  async kill(): Promise<void> {
    process.kill(await this.faulty.pid(this.service), 'SIGKILL');
  }

  /** Kills the service and waits until its ticket is closed. */
  async fail(plan: Plan = {}, { limitMs = 100_000 } = {}): Promise<Outcome> {
    await this.forget();
    const before = {
      tickets: (await this.faulty.tickets(this.service)).length,
      starts: this.faulty.starts(this.service),
      requests: this.model.turnRequests.length,
    };
    this.plan(plan);
    await this.kill();
    const ticket = await waitFor<Json>(
      `the ticket of ${this.service} closes`,
      async () => {
        const tickets = await this.faulty.tickets(this.service);
        return tickets.length > before.tickets && tickets[0]?.['closed_at'] !== null ? tickets[0] : null;
      },
      { limitMs, everyMs: 50 },
    );
    const { workspace } = this.faulty;
    const [{ body: trajectory }, history] = await Promise.all([
      workspace.api('GET', `/tickets/${String(ticket['id'])}/trajectory`),
      this.history(ticket),
    ]);
    await this.untilUp();
    return {
      ticket,
      trajectory,
      history,
      requests: this.model.turnRequests.slice(before.requests),
      newTickets: (await this.faulty.tickets(this.service)).length - before.tickets,
      newStarts: this.faulty.starts(this.service) - before.starts,
    };
  }

  async history(ticket: Json): Promise<readonly HistoryEvent[]> {
    return await this.withTemporal((access) =>
      fetchRun(access, String(ticket['workflow_id']), String(ticket['run_id'])),
    );
  }

  async withTemporal<T>(use: (access: TemporalAccess) => Promise<T>): Promise<T> {
    const address = String(this.faulty.workspace.endpoints()?.['temporal_address']);
    const access = await connectTemporal({ address, namespace: 'default' }, { timeoutMs: 5_000 });
    try {
      return await use(access);
    } finally {
      await access.close();
    }
  }
}

/** What each brain was told by the loop when it took over, oldest first. */
export function toldTo(brain: 'runbook' | 'claude', history: readonly HistoryEvent[]): readonly string[] {
  return history.flatMap((event) => {
    if (event.type !== 'activity_scheduled' || event.activity !== 'proposeStep') return [];
    const input = (event.input[0] ?? null) as Json | null;
    return input?.['brain'] === brain ? (input['notes'] as string[]) : [];
  });
}

/** The same fault for every request from one on. */
export function always(fault: Fault, from = 2, times = 8): Record<number, Fault> {
  return Object.fromEntries(Array.from({ length: times }, (_none, index) => [from + index, fault]));
}

/** First these turns, then what the runbook would do. */
export function beginWith(...turns: readonly ScriptedTurn[]): Say {
  const goOn = runbookPlayer();
  return (request) => {
    const said = turnsOf(request).filter(({ role }) => role === 'assistant').length;
    return turns[said] ?? goOn(request);
  };
}

export function bodyOf({ requests }: Outcome, index: number): ClaudeRequest {
  return requests.at(index)?.body as ClaudeRequest;
}

/** Calls and what came of them, as the last request shows them to the model. */
export function answersTo(outcome: Outcome): readonly AnsweredCall[] {
  return answeredCalls(bodyOf(outcome, -1));
}

/** One ticket, one start, no request that breaks a rule of the API; and the ticket says who finished it. */
export function expectFixedBy(brain: 'claude' | 'runbook', outcome: Outcome): void {
  const { ticket, trajectory, newTickets, newStarts, requests } = outcome;
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed', brain });
  expect(trajectory).toMatchObject({ status: 'completed', brain });
  expect((trajectory['turns'] as { brain: string }[]).at(-1)?.brain).toBe(brain);
  expect({ newTickets, newStarts }).toEqual({ newTickets: 1, newStarts: 1 });
  expect(requests.flatMap(({ refusal }) => refusal ?? [])).toEqual([]);
}
