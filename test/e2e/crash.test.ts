import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

const SLOW_BOOT_MS = 4_000;

let workspace: HarnessWorkspace;

beforeEach(async () => {
  workspace = await HarnessWorkspace.create((config) => {
    const service = config['services'].rate_limiter as Json;
    service['command'] = [process.execPath, join(__dirname, '../support/services/slow-service.js')];
    service['env'] = {
      PORT: String(servicePortOf(config)),
      STARTS_FILE: '${data_dir}/starts.ndjson',
      BOOT_MS_FILE: '${data_dir}/boot-ms',
    };
    delete service['metrics_url'];
  });
  await workspace.run();
  await workspace.untilUp();
});
afterEach(async () => {
  await workspace.dispose();
});

function servicePortOf(config: Json): string {
  return new URL(String(config['services'].rate_limiter.ready.url)).port;
}

const starts = () => readFileSync(join(workspace.dataDir, 'starts.ndjson'), 'utf8').trim().split('\n').length;

async function breakService(): Promise<void> {
  writeFileSync(join(workspace.dataDir, 'boot-ms'), String(SLOW_BOOT_MS));
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
}

async function trajectory(): Promise<Json> {
  const [ticket] = await workspace.tickets();
  return (await workspace.api('GET', `/tickets/${String(ticket?.['id'])}/trajectory`)).body;
}

/** The restart has been ordered and the service is booting: the middle of the ticket. */
async function untilRestarting(): Promise<void> {
  const before = starts();
  await waitFor('the restart was ordered', () => Promise.resolve(starts() > before));
  expect(await openCall()).toBe('service_control');
}

/** Name of the tool call that has begun and not ended. */
async function openCall(): Promise<string | null> {
  const { turns } = await trajectory();
  const calls = (turns as Json[]).flatMap((turn) => turn['calls'] as Json[]);
  const open = calls.find((call) => call['result'] === null);
  return open ? String(open['name'] ?? open['call']?.name) : null;
}

async function closedTicket(): Promise<Json> {
  return await waitFor<Json>(
    'the ticket closes',
    async () => (await workspace.tickets()).find((ticket) => ticket['closed_at'] !== null),
    { limitMs: 60_000, everyMs: 100 },
  );
}

it('kill -9 of the agent during the restart, then a new agent: the ticket is fixed with exactly one start', async () => {
  const startsBefore = starts();
  await breakService();
  await untilRestarting();
  process.kill(await workspace.componentPid('agent'), 'SIGKILL');
  await workspace.start('agent');
  expect(await closedTicket()).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(starts()).toBe(startsBefore + 1);
  const text = JSON.stringify(await trajectory());
  expect(text).toMatch(/activity_retried/); // the kill landed inside the call: Temporal had to run it again
});

it('kill -9 of the monitor during the ticket, then a new monitor: proof comes from the new one', async () => {
  const startsBefore = starts();
  await breakService();
  await untilRestarting();
  process.kill(await workspace.componentPid('monitor'), 'SIGKILL');
  await workspace.start('monitor');
  expect(await closedTicket()).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(starts()).toBe(startsBefore + 1);
});

it('kill -9 of everything during the ticket, then harness run on the same data: the ticket ends', async () => {
  await breakService();
  await untilRestarting();
  const [open] = await workspace.tickets();
  for (const pid of workspace.processes()) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it died with its parent
    }
  }
  await waitFor('everything is dead', () => Promise.resolve(workspace.processes().length === 0));
  await workspace.run();
  const closed = await closedTicket();
  expect(closed).toMatchObject({ id: open?.['id'], status: 'completed' });
  expect(await workspace.tickets()).toHaveLength(1);
});

it('kill -9 of the supervisor alone: nothing of it is left, grandchildren included', async () => {
  const run = workspace.children.find((child) => child.spawnargs.includes('run'));
  expect(workspace.processes().length).toBeGreaterThan(5);
  run?.kill('SIGKILL');
  await waitFor('no process is left', () => Promise.resolve(workspace.processes().length === 0));
});

it('the four die: the supervisor says so and by itself restarts none of them', async () => {
  const startsBefore = starts();
  const names = ['monitor', 'agent', 'web'];
  const pids = await Promise.all(names.map((name) => workspace.componentPid(name)));
  const servicePid = Number((await workspace.service())['pid']);
  for (const pid of [...pids, servicePid]) process.kill(pid, 'SIGKILL');
  for (const name of names) {
    await waitFor(`${name}'s death is told`, () =>
      Promise.resolve(new RegExp(`!!! ${name} `).test(workspace.output)),
    );
  }
  // Absence needs time: twenty times what an ordered restart takes to show up.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const status = await workspace.cli('status');
  expect(status.code).toBe(3);
  for (const name of names) expect(status.stdout).toMatch(new RegExp(`${name}.*exited`));
  expect(starts()).toBe(startsBefore);
});

it('killed again while its recovery is being proven: the same ticket restarts it again', async () => {
  const startsBefore = starts();
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
  await waitFor(
    'the proof has begun',
    async () => (await workspace.tickets())[0]?.['phase'] === 'verifying',
    {
      everyMs: 10,
    },
  );
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
  expect(await closedTicket()).toMatchObject({ status: 'completed', resolution: 'fixed', attempt: 1 });
  expect(await workspace.tickets()).toHaveLength(1);
  expect(starts()).toBe(startsBefore + 2);
});
