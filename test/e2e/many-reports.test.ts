import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import { freePort, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const CLIENTS = 20;
const INVARIANTS = ['first_rule', 'second_rule'];

/** Answers 200, holds every answer back, or answers 503. */
class Target {
  mode: 'up' | 'hold' | 'down' = 'up';
  readonly held = new Set<ServerResponse>();
  private readonly server = createServer((_request, response) => {
    if (this.mode !== 'hold') return response.writeHead(this.mode === 'up' ? 200 : 503).end();
    this.held.add(response);
    return response.once('close', () => this.held.delete(response));
  });

  async listen(): Promise<string> {
    const port = await freePort();
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let workspace: HarnessWorkspace;
const target = new Target();

beforeAll(async () => {
  const query = await target.listen();
  workspace = await HarnessWorkspace.create((config) => {
    for (const id of INVARIANTS) {
      (config['invariants'] as Json[]).push({
        id,
        query,
        condition: 'status == 200',
        service: 'rate_limiter',
      });
    }
  });
  await workspace.run();
  for (const id of INVARIANTS) await workspace.untilUp(id);
});
afterAll(async () => {
  await workspace.dispose();
  await target.close();
});

it('20 clients report at once, the monitor is killed inside their check: one ticket, both failures in it', async () => {
  target.mode = 'hold';
  const reports = Array.from({ length: CLIENTS }, (_, n) =>
    workspace.api('POST', `/invariants/${INVARIANTS[n % 2]}/check`).catch(() => null),
  );
  await waitFor('the monitor waits for both answers', () =>
    Promise.resolve(target.held.size >= INVARIANTS.length),
  );
  const monitor = await workspace.componentPid('monitor');
  process.kill(monitor, 'SIGKILL');
  // The kill landed inside the probes: their connections break before any answer was given.
  await waitFor('the held probes are gone', () => Promise.resolve(target.held.size === 0));
  target.mode = 'down';
  await workspace.start('monitor');

  await waitFor('a ticket', async () => (await workspace.tickets()).length > 0, { limitMs: 30_000 });
  await waitFor('both failures are in it', async () => {
    const [ticket] = await workspace.tickets();
    return (
      [ticket?.['invariant_id'], ...(ticket?.['joined_invariants'] ?? [])].sort().join() === INVARIANTS.join()
    );
  });
  await Promise.all(reports);
  expect(await workspace.tickets()).toHaveLength(1);
});

it('the failure goes: the ticket closes by itself and nothing was restarted', async () => {
  target.mode = 'up';
  await waitFor('it closes', async () => (await workspace.tickets('?status=open')).length === 0, {
    limitMs: 60_000,
  });
  expect(await workspace.tickets()).toHaveLength(1);
  expect(workspace.serviceStarts()).toBe(1);
});
