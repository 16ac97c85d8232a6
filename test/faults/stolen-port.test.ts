import type { ChildProcess } from 'node:child_process';
import { exitOf, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { startStranger } from '../support/stranger';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

describe.each([404, 200])('the port is taken by a stranger that answers %d', (status) => {
  let workspace: HarnessWorkspace;
  let stranger: ChildProcess | null = null;

  beforeAll(async () => {
    workspace = await HarnessWorkspace.create();
    await workspace.run();
    await workspace.untilUp();
  });
  afterAll(async () => {
    stranger?.kill('SIGKILL');
    await workspace.dispose();
  });

  it('one ticket waits for a person and names the owner, who is left alone; it closes by itself when he is gone', async () => {
    const { pid } = await workspace.service();
    const startsBefore = workspace.serviceStarts();
    const { process: thief, taken } = await startStranger(workspace.servicePort, status);
    stranger = thief;
    process.kill(Number(pid), 'SIGKILL');
    const killedAt = Date.now();
    await taken;

    await waitFor('a ticket', async () => (await workspace.tickets())[0]);
    const ticketMs = Date.now() - killedAt;
    const blocked = await waitFor<Json>(
      'the ticket names the owner',
      async () => {
        const [ticket] = await workspace.tickets();
        if (ticket?.['status'] !== 'blocked') return null;
        const { body } = await workspace.api('GET', `/tickets/${String(ticket['id'])}`);
        return JSON.stringify(body['escalation']).includes(`pid ${thief.pid}`) ? body : null;
      },
      { limitMs: 75_000 },
    );
    expect(Date.now() - killedAt).toBeLessThan(75_000);
    expect(blocked).toMatchObject({
      status: 'blocked',
      blocked_on: 'person',
      escalation: {
        reason: expect.stringContaining(`is answered by pid ${thief.pid} (${process.execPath}`) as string,
        report: expect.stringContaining(`kill ${thief.pid}`) as string,
      },
    });
    expect(ticketMs).toBeLessThan(20_000);
    expect(workspace.serviceStarts()).toBeLessThanOrEqual(startsBefore + 1);
    expect(thief.exitCode ?? thief.signalCode).toBeNull();
    const answer = await fetch(`http://127.0.0.1:${workspace.servicePort}/health`);
    expect([answer.status, await answer.text()]).toEqual([status, 'a stranger']);
    const startsWhileTaken = workspace.serviceStarts();

    thief.kill('SIGTERM');
    await exitOf(thief);
    const closed = await waitFor<Json>(
      'the ticket closes',
      async () => (await workspace.tickets()).find((ticket) => ticket['closed_at'] !== null),
      { limitMs: 20_000, everyMs: 100 },
    );
    expect(closed).toMatchObject({ id: blocked['id'], status: 'completed', resolution: 'fixed' });
    expect(await workspace.tickets()).toHaveLength(1);
    expect(workspace.serviceStarts()).toBe(startsWhileTaken + 1);
    expect((await fetch(`http://127.0.0.1:${workspace.servicePort}/health`)).status).toBe(200);
  });
});
