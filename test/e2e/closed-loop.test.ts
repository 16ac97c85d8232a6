import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitOf, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

describe('harness run', () => {
  let workspace: HarnessWorkspace;

  beforeAll(async () => {
    workspace = await HarnessWorkspace.create();
    await workspace.run();
    await workspace.untilUp();
  });
  afterAll(async () => {
    await workspace.dispose();
  });

  it('kill -9 of the service: one ticket within 10 s, one restart, proof, closed as fixed within 60 s', async () => {
    const before = await workspace.service();
    const startsBefore = workspace.serviceStarts();
    const killedAt = Date.now();
    process.kill(Number(before['pid']), 'SIGKILL');

    const opened = await waitFor('a ticket', async () => (await workspace.tickets())[0]);
    expect(Date.now() - killedAt).toBeLessThan(10_000);
    const closed = await waitFor<Json>(
      'the ticket closes',
      async () => (await workspace.tickets()).find((ticket) => ticket['closed_at'] !== null),
      { limitMs: 60_000 },
    );
    expect(closed).toMatchObject({
      id: opened['id'],
      status: 'completed',
      resolution: 'fixed',
      invariant_id: 'rate_limiter_healthy',
      workflow_id: 'rate_limiter_healthy',
      brain: 'runbook',
    });
    expect(await workspace.tickets()).toHaveLength(1);
    expect(workspace.serviceStarts()).toBe(startsBefore + 1);

    const after = await workspace.service();
    expect(after).toMatchObject({ state: 'running', ready: true });
    expect(after['pid']).not.toBe(before['pid']);
    expect((await fetch(`http://127.0.0.1:${workspace.servicePort}/health`)).status).toBe(200);
  });

  it('the ticket tells its story: evidence, turns, decision, tool, proof', async () => {
    const [ticket] = await workspace.tickets();
    const { body: detail } = await workspace.api('GET', `/tickets/${String(ticket?.['id'])}`);
    expect(detail['suspected_cause']).toContain('SIGKILL');
    const { body: trajectory } = await workspace.api('GET', `/tickets/${String(ticket?.['id'])}/trajectory`);
    const text = JSON.stringify(trajectory);
    for (const word of ['inspect_service', 'service_control', 'update_ticket_status', 'allow'])
      expect(text).toContain(word);
  });

  it('the Temporal Web UI knows the run under the invariant’s ID', async () => {
    const [ticket] = await workspace.tickets();
    const ui = new URL(String(ticket?.['temporal_url']));
    const answer = await fetch(`${ui.origin}/api/v1/namespaces/default/workflows/rate_limiter_healthy`);
    expect(answer.status).toBe(200);
    expect(JSON.stringify(await answer.json())).toContain(String(ticket?.['run_id']));
  });

  it('the restarted service is supervised: its log is stored, and Ctrl-C stops everything within 10 s', async () => {
    const { pid } = await workspace.service();
    const log = readFileSync(join(workspace.dataDir, 'logs', 'rate_limiter.ndjson'), 'utf8');
    expect(log).toContain(`"pid":${String(pid)}`);
    const run = workspace.children.find((child) => child.spawnargs.includes('run'));
    if (!run) throw new Error('no run');
    const stoppedAt = Date.now();
    run.kill('SIGINT');
    expect(await exitOf(run)).toBe(130);
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);
    expect(workspace.processes()).toEqual([]);
  });
});
