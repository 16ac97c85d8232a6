import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { readArchived } from '../../src/client/archive-reader';
import { paths } from '../../src/config/paths';
import { freePort, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let workspace: HarnessWorkspace;

beforeEach(async () => {
  workspace = await HarnessWorkspace.create((config) => {
    config['monitor'] = { interval: '1s' };
  });
  await workspace.run();
  await workspace.untilUp();
});
afterEach(async () => {
  await workspace.dispose();
});

/** Absence needs time: four sweeps, each of which would open the ticket. */
const fourSweeps = () => new Promise((resolve) => setTimeout(resolve, 4_000));
const invariant = async (id: string): Promise<Json> => (await workspace.api('GET', `/invariants/${id}`)).body;
const untilState = (id: string, state: string) =>
  waitFor(`${id} is ${state}`, async () => (await invariant(id))['state'] === state);
const ticketsOf = (id: string) => workspace.tickets(`?invariant=${id}`);
const untilTicket = (id: string, is: (ticket: Json) => boolean, what: string) =>
  waitFor<Json>(`a ticket of ${id} ${what}`, async () => (await ticketsOf(id)).find(is), {
    limitMs: 60_000,
    everyMs: 100,
  });
async function ok(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await workspace.cli(...words);
  if (code !== 0) throw new Error(`harness ${words.join(' ')} exited with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

it('paused, kill -9: no ticket; resumed: a ticket, fixed. Stopped by a person: shown paused, not restarted', async () => {
  const id = 'rate_limiter_healthy';
  await ok('pause', 'rate_limiter', '--for', '1h');
  expect(await invariant(id)).toMatchObject({ state: 'paused', paused_until: expect.any(String) as string });
  expect(await workspace.service()).toMatchObject({ paused_until: expect.any(String) as string });
  expect(await ok('invariants')).toMatch(/paused until/);
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
  await waitFor('the process has ended', async () => (await workspace.service())['state'] === 'exited');
  await fourSweeps();
  expect(await workspace.tickets()).toEqual([]);

  await ok('resume', 'rate_limiter');
  await untilTicket(id, (ticket) => ticket['resolution'] === 'fixed', 'is fixed');
  await workspace.untilUp();

  const starts = workspace.serviceStarts();
  await ok('service', 'stop', 'rate_limiter');
  expect(await invariant(id)).toMatchObject({ state: 'paused', paused_until: null });
  await fourSweeps();
  expect(workspace.serviceStarts()).toBe(starts);
  await ok('status');
  await ok('service', 'start', 'rate_limiter');
  await workspace.untilUp();
  expect(await workspace.tickets()).toHaveLength(1);
});

it('paused while its ticket is open: the agent keeps its hands off; resumed: it goes on by itself', async () => {
  const starts = workspace.serviceStarts();
  process.kill(await workspace.componentPid('agent'), 'SIGKILL');
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
  const pending = await untilTicket('rate_limiter_healthy', (one) => one['status'] === 'pending', 'waits');
  await ok('pause', 'rate_limiter');
  await workspace.start('agent');
  const held = await untilTicket('rate_limiter_healthy', (one) => one['status'] === 'blocked', 'is held');
  expect(held['escalation'].reason).toMatch(/rate_limiter is paused, so nothing was done to it/);
  await fourSweeps();
  expect(workspace.serviceStarts()).toBe(starts);

  await ok('resume', 'rate_limiter');
  const fixed = await untilTicket('rate_limiter_healthy', (one) => one['closed_at'] !== null, 'is closed');
  expect(fixed).toMatchObject({ id: pending['id'], resolution: 'fixed', attempt: 2 });
  expect(workspace.serviceStarts()).toBe(starts + 1);
  expect(await workspace.tickets()).toHaveLength(1);
});

describe('things of which the harness runs none', () => {
  const servers = new Map<number, Server>();
  afterEach(async () => {
    await Promise.all([...servers.keys()].map(close));
  });

  const open = (port: number) =>
    new Promise<void>((resolve) => {
      const server = createServer((_request, response) => response.end('ok'));
      servers.set(
        port,
        server.listen(port, '127.0.0.1', () => resolve()),
      );
    });
  const close = (port: number) =>
    new Promise<void>((resolve) => {
      servers.get(port)?.close(() => resolve());
      servers.get(port)?.closeAllConnections();
      servers.delete(port);
    });
  async function watch(id: string, over: Json = {}): Promise<number> {
    const port = await freePort();
    await open(port);
    const query = `http://127.0.0.1:${port}/`;
    const body = { id, query, condition: 'status == 200', ...over };
    expect((await workspace.api('POST', '/invariants', body)).status).toBe(201);
    await untilState(id, 'up');
    return port;
  }

  it('dismissed: no new ticket while the failure lasts, one for the next failure', async () => {
    const port = await watch('shop');
    await close(port);
    const first = await untilTicket('shop', (ticket) => ticket['status'] === 'blocked', 'waits for a person');
    await ok('ticket', 'dismiss', String(first['id']), '--reason', 'known');
    await untilTicket('shop', (ticket) => ticket['resolution'] === 'dismissed', 'is dismissed');
    expect(await invariant('shop')).toMatchObject({ state: 'down', dismissed: { until: null } });
    await fourSweeps();
    expect(await ticketsOf('shop')).toHaveLength(1);

    await open(port);
    await untilState('shop', 'up');
    expect(await invariant('shop')).toMatchObject({ dismissed: null });
    await close(port);
    const second = await untilTicket('shop', (ticket) => ticket['closed_at'] === null, 'is open');
    expect(second['id']).not.toBe(first['id']);
    expect(second).toMatchObject({ relapse_of: first['id'] });

    // What a crash did not archive, an agent archives when it starts.
    rmSync(paths.archive(workspace.dataDir), { recursive: true });
    await workspace.start('agent');
    await waitFor('the closed ticket is archived', () =>
      readArchived(workspace.dataDir, String(first['id'])),
    );
    expect((await workspace.api('GET', '/stats')).body).toMatchObject({
      tickets: 2,
      by_resolution: { dismissed: 1 },
    });
  });

  it('a dependency down with its dependant: one ticket; what is still down after it gets its own', async () => {
    const database = await watch('database');
    const shop = await watch('shop', { suppressed_by: ['database'] });
    await close(database);
    await untilState('database', 'down');
    await close(shop);
    await untilState('shop', 'down');
    await untilTicket('database', (ticket) => ticket['status'] === 'blocked', 'waits for a person');
    await fourSweeps();
    expect(await ticketsOf('shop')).toEqual([]);

    await open(database);
    await untilTicket('database', (ticket) => ticket['status'] === 'completed', 'is closed');
    await untilTicket('shop', (ticket) => ticket['status'] === 'blocked', 'is opened');
    await open(shop);
    await untilTicket('shop', (ticket) => ticket['status'] === 'completed', 'is closed');
    expect(await workspace.tickets()).toHaveLength(2);
  });
});
