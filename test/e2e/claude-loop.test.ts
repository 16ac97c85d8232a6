import { runbookPlayer } from '../support/claude-server/runbook-player';
import type { ClaudeServer } from '../support/claude-server/server';
import { startClaudeServer } from '../support/claude-server/server';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const KEY = 'sk-ant-stand-in-0123456789';

describe('harness run with a key', () => {
  let workspace: HarnessWorkspace;
  let model: ClaudeServer;

  beforeAll(async () => {
    model = await startClaudeServer({ script: runbookPlayer(), apiKey: KEY });
    workspace = await HarnessWorkspace.create();
    workspace.env['ANTHROPIC_API_KEY'] = KEY;
    workspace.env['ANTHROPIC_BASE_URL'] = model.baseUrl;
    await workspace.run();
    await workspace.untilUp();
  });
  afterAll(async () => {
    await workspace.dispose();
    await model.close();
  });

  it('says that Claude thinks', () => {
    expect(workspace.output).toContain(
      'brain: claude (ANTHROPIC_API_KEY is set: claude-opus-5-5 at 127.0.0.1',
    );
  });

  it('kill -9 of the service: Claude looks, restarts, is proven right; closed as fixed', async () => {
    const before = await workspace.service();
    const startsBefore = workspace.serviceStarts();
    const killedAt = Date.now();
    process.kill(Number(before['pid']), 'SIGKILL');

    await waitFor('a ticket', async () => (await workspace.tickets())[0]);
    expect(Date.now() - killedAt).toBeLessThan(10_000);
    const closed = await waitFor<Json>(
      'the ticket closes',
      async () => (await workspace.tickets()).find((ticket) => ticket['closed_at'] !== null),
      { limitMs: 60_000 },
    );
    expect(model.problems).toEqual([]);
    expect(closed).toMatchObject({ status: 'completed', resolution: 'fixed', brain: 'claude' });
    expect(workspace.serviceStarts()).toBe(startsBefore + 1);
  });
});
