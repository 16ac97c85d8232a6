import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RecordedRequest } from '../support/claude-server/recorded-request';
import type { ClaudeRequest } from '../support/claude-server/request';
import type { ClaudeServer } from '../support/claude-server/server';
import { startClaudeServer } from '../support/claude-server/server';
import type { Cell } from '../support/crash-bench';
import { CrashBench } from '../support/crash-bench';
import {
  editsIn,
  modelStep,
  serviceIn,
  sixTurns,
  RESTART_TURN,
  toolStep,
  turnAsked,
  TURNS,
  UNEDITED,
} from '../support/six-turns';
import type { Json } from '../support/harness-process';
import type { Moment } from '../support/ticket-steps';
import { MOMENTS } from '../support/ticket-steps';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

const KEY = 'sk-ant-stand-in-0123456789';
const BOOT_MS = 4_000;
const ALL_TURNS = Array.from({ length: TURNS }, (_none, index) => index + 1);

/** What came of a row: what the bench saw, and what only this suite counts. */
interface Row {
  readonly cells: Record<Moment, Cell>;
  readonly edits: Record<Moment, number>;
  readonly tickets: Record<Moment, Json>;
  readonly requests: Record<Moment, readonly RecordedRequest[]>;
}

let model: ClaudeServer;
let bench: CrashBench;
/** For each service the turn whose reply is kept back; it is forgotten with the request that it has met. */
const holds = new Map<string, number>();
const fileOf = (service: string) => join(bench.faulty.workspace.dataDir, `${service}.json`);
const bodyOf = (request: RecordedRequest) => request.body as ClaudeRequest;
const perMoment = <T>(make: (moment: Moment) => T) =>
  Object.fromEntries(MOMENTS.map((moment) => [moment, make(moment)])) as Record<Moment, T>;

beforeAll(async () => {
  model = await startClaudeServer({
    script: sixTurns(fileOf),
    apiKey: KEY,
    hold: (request) => {
      // The analyst is asked by the monitor.
      if (request.output_config?.format) return null;
      const service = serviceIn(request);
      if (holds.get(service) !== turnAsked(request)) return null;
      holds.delete(service);
      return new Promise(() => undefined);
    },
  });
  bench = await CrashBench.create({
    env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.baseUrl },
    change: (config) => {
      for (const service of MOMENTS) {
        config['services'][service].files = { edit: [`\${data_dir}/${service}.json`] };
      }
      const dataDir = String(config['data_dir']);
      mkdirSync(dataDir, { recursive: true });
      for (const service of MOMENTS) writeFileSync(join(dataDir, `${service}.json`), UNEDITED);
    },
  });
});
afterAll(async () => {
  await bench.dispose();
  await model.close();
});

/** Crashes the agent, and counts around it. */
async function count(crash: () => Promise<Record<Moment, Cell>>): Promise<Row> {
  const edited = perMoment((service) => editsIn(fileOf(service)));
  const asked = model.turnRequests.length;
  const cells = await crash();
  const details = await Promise.all(
    MOMENTS.map((moment) => bench.faulty.workspace.api('GET', `/tickets/${cells[moment].ticketId}`)),
  );
  const requests = model.turnRequests.slice(asked);
  return {
    cells,
    edits: perMoment((service) => editsIn(fileOf(service)) - edited[service]),
    tickets: perMoment((service) => details[MOMENTS.indexOf(service)]?.body ?? {}),
    requests: perMoment((service) => requests.filter((request) => serviceIn(bodyOf(request)) === service)),
  };
}

/**
 * One ticket of Claude's, ended right: every effect once, no request that breaks a rule of the API, and no turn asked for
 * twice but `again`. A sweep that saw the service back may have ended it before its last turns.
 */
function expectRightEnd(
  { cells, edits, tickets, requests }: Row,
  service: Moment,
  again: number | null = null,
): void {
  const { ticketId, closed, newTickets, newRuns, newStarts } = cells[service];
  expect(model.problems).toEqual([]);
  expect(requests[service].flatMap(({ refusal }) => refusal ?? [])).toEqual([]);
  expect(closed).toMatchObject({ id: ticketId, status: 'completed', resolution: 'fixed', brain: 'claude' });
  expect({ newTickets, newRuns, newStarts }).toEqual({ newTickets: 1, newRuns: 1, newStarts: 1 });
  expect(edits[service]).toBe(1);
  expect(tickets[service]['notes']).toHaveLength(1);
  const turns = requests[service].map((request) => turnAsked(bodyOf(request)));
  const last = Math.max(...turns);
  const hints = (tickets[service]['timeline'] as Json[]).filter(({ kind }) => kind === 'recovered_hint');
  if (hints.length === 0) expect(last).toBe(TURNS);
  expect(last).toBeGreaterThanOrEqual(RESTART_TURN);
  const once = ALL_TURNS.slice(0, last);
  expect(turns).toEqual(again === null ? once : [...once, again].sort((a, b) => a - b));
}

describe.each(ALL_TURNS)('kill -9 of the agent around the call of the model in turn %i', (turn) => {
  let row: Row;
  beforeAll(async () => {
    row = await count(() => bench.crash('agent', modelStep(turn)));
  });

  it.each(MOMENTS)('%s: one ticket, ended right, every effect once', (moment) => {
    expect(row.cells[moment].landed).toBe(moment);
    // Only a reply that the server never heard of is asked for again.
    expectRightEnd(row, moment, moment === 'inside' ? turn : null);
  });
});

describe.each(ALL_TURNS)('kill -9 of the agent around the tool of turn %i', (turn) => {
  let row: Row;
  beforeAll(async () => {
    row = await count(() => bench.crash('agent', toolStep(turn)));
  });

  it.each(MOMENTS)('%s: one ticket, ended right, every effect once', (moment) => {
    expect(row.cells[moment].landed).toBe(moment);
    expectRightEnd(row, moment);
  });
});

describe.each([[[1, 2, 3]], [[4, 5, 6]]])(
  'kill -9 of the agent while the model thinks, in the turns %j',
  (turns) => {
    const turnOf = (service: Moment) => turns[MOMENTS.indexOf(service)] ?? 0;
    let row: Row;
    let held: Record<Moment, RecordedRequest | undefined>;
    beforeAll(async () => {
      row = await count(() => {
        const asked = model.turnRequests.length;
        return bench.crashWhen('agent', {
          arm: async () => {
            for (const service of MOMENTS) holds.set(service, turnOf(service));
            await waitFor('every reply is kept back', () => Promise.resolve(holds.size === 0), {
              limitMs: 30_000,
            });
            const open = model.turnRequests.slice(asked).filter(({ endedAtMs }) => endedAtMs === null);
            held = perMoment((service) => open.find((request) => serviceIn(bodyOf(request)) === service));
            return [];
          },
          stepOf: (service) => modelStep(turnOf(service)),
        });
      });
    });

    it.each(MOMENTS)('service "%s": one ticket, ended right, every effect once', (service) => {
      expect(row.cells[service].landed).toBe('inside');
      const request = held[service];
      expect(request && turnAsked(bodyOf(request))).toBe(turnOf(service));
      expect(request?.reply).toBeNull();
      expect(request?.disconnectedAtMs).not.toBeNull();
      expectRightEnd(row, service, turnOf(service));
    });
  },
);

describe('kill -9 of the agent while the service boots that it restarts', () => {
  let row: Row;
  beforeAll(async () => {
    row = await count(() =>
      bench.crashWhen('agent', {
        arm: async () => {
          const starts = perMoment((service) => bench.faulty.starts(service));
          for (const service of MOMENTS) bench.faulty.setBootMs(service, BOOT_MS);
          await waitFor(
            'every restart was ordered',
            () => Promise.resolve(MOMENTS.every((service) => bench.faulty.starts(service) > starts[service])),
            { limitMs: 30_000, everyMs: 10 },
          );
          return [];
        },
        stepOf: () => toolStep(RESTART_TURN),
      }),
    );
    for (const service of MOMENTS) bench.faulty.setBootMs(service, 0);
  });

  it.each(MOMENTS)('service "%s": one ticket, ended right, every effect once', (service) => {
    expect(row.cells[service].landed).toBe('inside');
    expectRightEnd(row, service);
  });
});
