import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { FaultyServices, health } from '../support/faulty-services';
import { exitOf, freePort } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const NOISE_MS = 180_000;
const seconds = (from: number): number => (Date.now() - from) / 1_000;

let faulty: FaultyServices;
/** The same program, started by somebody else: nobody may touch it. */
let bystander: ChildProcess;
let noisySince = 0;
/** Starts each service must have counted at the end. */
const expectedStarts = new Map<string, number>();

beforeAll(async () => {
  faulty = await FaultyServices.create({
    stopped: { stopped_healthy: health() },
    busy: { busy_healthy: health() },
    stalled: { stalled_healthy: health() },
    booting: { booting_healthy: health() },
    again: { again_healthy: health() },
    pair: {
      pair_healthy: health(),
      pair_other: (port) => health({ query: `http://127.0.0.1:${port}/other` })(port),
    },
    noisy: { noisy_healthy: health() },
  });
  await faulty.workspace.run();
  for (const name of faulty.ports.keys()) {
    await faulty.workspace.untilUp(`${name}_healthy`);
    expectedStarts.set(name, 1);
  }
  await faulty.workspace.untilUp('pair_other');
  const port = await freePort();
  bystander = spawn(process.execPath, [join(__dirname, '../support/services/faulty-service.js')], {
    env: { PORT: String(port), STARTS_FILE: '/dev/null' },
    stdio: 'ignore',
  });
  await faulty.tell('noisy', '/errors');
  noisySince = Date.now();
});
afterAll(async () => {
  bystander.kill('SIGKILL');
  await exitOf(bystander);
  await faulty.workspace.dispose();
});

/** One ticket, one start more, and the service answers. */
async function expectFixed(name: string, startedAt: number, ceilingS: number): Promise<Json> {
  const ticket = await faulty.closedTicket(name);
  const took = seconds(startedAt);
  expectedStarts.set(name, 2);
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed', service: name });
  expect(took).toBeLessThan(ceilingS);
  expect(await faulty.tickets(name)).toHaveLength(1);
  expect(faulty.starts(name)).toBe(2);
  expect((await fetch(faulty.url(name))).status).toBe(200);
  return ticket;
}

it('hung by SIGSTOP: one ticket, one restart, closed as fixed', async () => {
  const faultAt = Date.now();
  process.kill(await faulty.pid('stopped'), 'SIGSTOP');
  await expectFixed('stopped', faultAt, 60);
});

it('hung by a busy event loop, which hears no SIGTERM: the same', async () => {
  const faultAt = Date.now();
  await faulty.tell('busy', '/block');
  await expectFixed('busy', faultAt, 60);
});

it('a 4 s stall that heals itself: no restart, at most a ticket that closes as self-recovered', async () => {
  const pid = await faulty.pid('stalled');
  process.kill(pid, 'SIGSTOP');
  // The fault itself has this length.
  await new Promise((resolve) => setTimeout(resolve, 4_000));
  process.kill(pid, 'SIGCONT');
  const healedAt = Date.now();
  await waitFor(
    'it is up, and every sweep that may have seen the stall has ended',
    async () => {
      const { body } = await faulty.workspace.api('GET', '/invariants/stalled_healthy');
      return body['state'] === 'up' && Date.parse(String(body['last_check'].at)) > healedAt + 5_000;
    },
    { limitMs: 30_000, everyMs: 100 },
  );
  await waitFor(
    'no open ticket of the stalled service',
    async () => (await faulty.tickets('stalled')).every((ticket) => ticket['closed_at'] !== null),
    { limitMs: 30_000 },
  );
  const tickets = await faulty.tickets('stalled');
  expect(tickets.length).toBeLessThanOrEqual(1);
  for (const ticket of tickets) expect(ticket['resolution']).toBe('self_recovered');
  expect(faulty.starts('stalled')).toBe(1);
  expect(await faulty.pid('stalled')).toBe(pid);
});

it('a 12 s boot after a crash: one start, waited for, not killed while it boots', async () => {
  faulty.setBootMs('booting', 12_000);
  const faultAt = Date.now();
  process.kill(await faulty.pid('booting'), 'SIGKILL');
  const booting = await waitFor('the new process boots', async () => {
    return faulty.starts('booting') === 2 && (await faulty.pid('booting'));
  });
  await expectFixed('booting', faultAt, 60);
  expect(seconds(faultAt)).toBeGreaterThan(12);
  expect(await faulty.pid('booting')).toBe(booting);
});

it('a second crash right after the close, and a third: each has its ticket and its restart', async () => {
  for (let crash = 1; crash <= 3; crash += 1) {
    process.kill(await faulty.pid('again'), 'SIGKILL');
    const ticket = await faulty.closedTicket('again', crash);
    expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed' });
    expect(await faulty.tickets('again')).toHaveLength(crash);
    expect(faulty.starts('again')).toBe(crash + 1);
    // The moment itself is the fault: before the next sweep has seen the service well.
    if (crash === 1) await new Promise((resolve) => setTimeout(resolve, 150));
  }
  expectedStarts.set('again', 4);
});

it('two invariants of one service fail together: one ticket, which the other joined', async () => {
  const faultAt = Date.now();
  process.kill(await faulty.pid('pair'), 'SIGKILL');
  const ticket = await expectFixed('pair', faultAt, 60);
  const involved = [ticket['invariant_id'], ...(ticket['joined_invariants'] as string[])];
  expect(involved.sort()).toEqual(['pair_healthy', 'pair_other']);
});

it(
  '3 minutes of 50 ERROR lines a second on a healthy service: no ticket, no action',
  async () => {
    const pid = await faulty.pid('noisy');
    const restMs = NOISE_MS - (Date.now() - noisySince);
    // Absence needs the whole time.
    if (restMs > 0) await new Promise((resolve) => setTimeout(resolve, restMs));
    const { stdout } = await faulty.workspace.cli('logs', 'noisy', '--json', '-n', '100000');
    // A busy machine may make it somewhat slower than its timer says.
    expect(stdout.split('ERROR payment failed').length).toBeGreaterThan((NOISE_MS / 1_000) * 30);
    expect(await faulty.tickets('noisy')).toEqual([]);
    expect(await faulty.pid('noisy')).toBe(pid);
  },
  NOISE_MS + 60_000,
);

it('the innocent live: no service was started more often than its faults asked for, and no stranger was touched', () => {
  const counted = new Map([...faulty.ports.keys()].map((name) => [name, faulty.starts(name)]));
  expect(counted).toEqual(expectedStarts);
  expect([bystander.exitCode, bystander.signalCode]).toEqual([null, null]);
});
