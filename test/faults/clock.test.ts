import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '../support/fake-clock';
import { FaultyServices, health } from '../support/faulty-services';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const HOUR_MS = 3_600_000;
/** Four sweeps of one second, each of which would open, close or retry. */
const SWEEPS_MS = 4_000;
const SERVICES = ['steady', 'doubted'] as const;

interface Time {
  readonly ms: number;
  readonly offset_min: number;
}

let folder: string;
let clock: FakeClock;
let faulty: FaultyServices;
/** The ticket that waits for a person while the clock moves. */
let open: Json;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'harness-clock-'));
  clock = new FakeClock(join(folder, 'clock'));
  faulty = await FaultyServices.create(
    {
      steady: { steady_healthy: health() },
      doubted: { doubted_healthy: (port) => health({ query: `http://127.0.0.1:${port}/nowhere` })(port) },
    },
    (config) => {
      config['monitor'] = { interval: '1s' };
      for (const name of SERVICES)
        Object.assign(config['services'][name].env, clock.env, { TZ: 'Europe/Berlin' });
    },
  );
  await faulty.workspace.run();
  await faulty.workspace.untilUp('steady_healthy');
  open = await faulty.blockedTicket('doubted');
});
afterAll(async () => {
  await faulty?.workspace.dispose();
  rmSync(folder, { recursive: true, force: true });
});

const timeOf = async (name: string) => (await (await fetch(faulty.url(name, '/time'))).json()) as Time;

/** Both services see the time that was meant; without this control nothing would be tested. */
async function untilSeen(what: string, isMeant: (time: Time) => boolean): Promise<void> {
  await Promise.all(
    SERVICES.map((name) => waitFor(`${name} sees ${what}`, async () => isMeant(await timeOf(name)))),
  );
}

/** Absence needs time: every sweep that could do something about the jump has ended. */
async function untilSweptSince(atMs: number): Promise<void> {
  for (const name of SERVICES) {
    await waitFor(
      `${name} was looked at after the jump`,
      async () => {
        const { body } = await faulty.workspace.api('GET', `/invariants/${name}_healthy`);
        return Date.parse(String(body['last_check'].at)) > atMs + SWEEPS_MS;
      },
      { limitMs: 30_000, everyMs: 100 },
    );
  }
}

async function expectNothingHappened(pids: readonly number[]): Promise<void> {
  await untilSweptSince(Date.now());
  expect(await faulty.tickets('steady')).toEqual([]);
  expect(await faulty.tickets('doubted')).toHaveLength(1);
  const { body } = await faulty.workspace.api('GET', `/tickets/${String(open['id'])}`);
  expect(body).toEqual(open);
  expect(await Promise.all(SERVICES.map((name) => faulty.pid(name)))).toEqual(pids);
  expect(SERVICES.map((name) => faulty.starts(name))).toEqual([1, 1]);
}

it.each([
  ['an hour ahead', HOUR_MS],
  ['an hour behind', -HOUR_MS],
  ['the real time', 0],
])(
  'the clock of the services jumps to %s: no ticket opens, the open one stays as it is',
  async (to, aheadMs) => {
    const pids = await Promise.all(SERVICES.map((name) => faulty.pid(name)));
    clock.setAhead(aheadMs);
    await untilSeen(to, ({ ms }) => Math.abs(ms - Date.now() - aheadMs) < 30_000);
    await expectNothingHappened(pids);
  },
);

it.each([
  ['summer time begins', '2027-03-28T01:00:00Z', 60, 120],
  ['summer time ends', '2027-10-31T01:00:00Z', 120, 60],
])('%s in the time zone of the services: the same', async (_what, switchAt, beforeMin, afterMin) => {
  const pids = await Promise.all(SERVICES.map((name) => faulty.pid(name)));
  const sinceSwitch = ({ ms }: Time) => ms - Date.parse(switchAt);
  clock.setAhead(Date.parse(switchAt) - 5_000 - Date.now());
  await untilSeen('the seconds before the switch', (time) => {
    return time.offset_min === beforeMin && sinceSwitch(time) < 0 && sinceSwitch(time) > -10_000;
  });
  await untilSeen('the seconds after the switch', (time) => {
    return time.offset_min === afterMin && sinceSwitch(time) >= 0 && sinceSwitch(time) < 30_000;
  });
  await expectNothingHappened(pids);
});

it('with its clock moved, a service that dies has one ticket and one restart as ever', async () => {
  clock.setAhead(-HOUR_MS);
  await untilSeen('an hour behind', ({ ms }) => ms < Date.now() - HOUR_MS / 2);
  process.kill(await faulty.pid('steady'), 'SIGKILL');
  const ticket = await faulty.closedTicket('steady');
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(await faulty.tickets('steady')).toHaveLength(1);
  expect(faulty.starts('steady')).toBe(2);
});
