import { CrashBench } from '../support/crash-bench';
import { expectCleanStop } from '../support/crash-matrix';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

const HUNG_MS = 8_000;
const BOOT_MS = 4_000;

let bench: CrashBench;
beforeAll(async () => {
  bench = await CrashBench.create();
});
afterAll(async () => {
  await bench.dispose();
});

const tickets = () => bench.faulty.tickets('inside');
async function trajectory(ticket: Json): Promise<string> {
  const { body } = await bench.faulty.workspace.api('GET', `/tickets/${String(ticket['id'])}/trajectory`);
  return JSON.stringify(body);
}

it('the slow server without a rule changes nothing: a ticket closes through it at the first try', async () => {
  await bench.prepare();
  process.kill(await bench.faulty.pid('inside'), 'SIGKILL');
  const ticket = await bench.faulty.closedTicket('inside');
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed', attempt: 1 });
  expect(await tickets()).toHaveLength(1);
  expect(bench.faulty.starts('inside')).toBe(2);
  expect(await trajectory(ticket)).not.toMatch(/activity_retried/);
  for (const name of ['agent', 'monitor'] as const) {
    const { temporal } = bench.worker(name);
    expect(temporal.hasSeen('RespondWorkflowTaskCompleted')).toBe(true);
    expect(temporal.hasSeen('RespondActivityTaskCompleted')).toBe(true);
  }
});

it('Temporal hangs for 8 s in the middle of a restart and goes on: one ticket, fixed by that one restart', async () => {
  await bench.prepare();
  const before = { tickets: (await tickets()).length, starts: bench.faulty.starts('inside') };
  bench.faulty.setBootMs('inside', BOOT_MS);
  process.kill(await bench.faulty.pid('inside'), 'SIGKILL');
  await waitFor(
    'the restart was ordered',
    () => Promise.resolve(bench.faulty.starts('inside') > before.starts),
    { everyMs: 10 },
  );
  const [open] = await tickets();
  expect(open).toMatchObject({ status: 'in_progress', phase: 'acting', closed_at: null });
  const temporal = await bench.faulty.workspace.componentPid('temporal');
  process.kill(temporal, 'SIGSTOP');
  // The fault itself has this length: longer than the boot, and than any heartbeat may be late.
  await new Promise((resolve) => setTimeout(resolve, HUNG_MS));
  process.kill(temporal, 'SIGCONT');
  const closed = await bench.faulty.closedTicket('inside', before.tickets + 1);
  expect(closed).toMatchObject({ id: open?.['id'], status: 'completed', resolution: 'fixed' });
  await bench.untilIdle();
  expect(await tickets()).toHaveLength(before.tickets + 1);
  expect(bench.faulty.starts('inside')).toBe(before.starts + 1);
  expect(await bench.faulty.workspace.componentPid('temporal')).toBe(temporal);
});

it('SIGINT ends all of it, and no process of the run is left', async () => {
  await expectCleanStop(bench);
});
