import { readArchived } from '../../src/client/archive-reader';
import { FAULTS } from '../support/claude-server/faults';
import { runbookPlayer } from '../support/claude-server/runbook-player';
import type { ClaudeServer } from '../support/claude-server/server';
import { startClaudeServer } from '../support/claude-server/server';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const KEY = 'sk-ant-stand-in-0123456789';

describe('what people see of a model', () => {
  let workspace: HarnessWorkspace;
  let model: ClaudeServer;

  beforeAll(async () => {
    model = await startClaudeServer({ script: runbookPlayer(), apiKey: KEY });
    workspace = await HarnessWorkspace.create();
    workspace.env['ANTHROPIC_API_KEY'] = KEY;
    workspace.env['ANTHROPIC_BASE_URL'] = model.baseUrl;
    await workspace.run();
  });
  afterAll(async () => {
    await workspace.dispose();
    await model.close();
  });

  /** Kills the service and waits until its ticket has closed. */
  async function repaired(closedBefore: number): Promise<Json> {
    await workspace.untilUp();
    process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
    const isClosed = ({ closed_at }: Json) => closed_at !== null;
    const [newest] = await waitFor(
      'the ticket closes',
      async () => {
        const closed = (await workspace.tickets()).filter(isClosed);
        return closed.length > closedBefore ? closed : null;
      },
      { limitMs: 60_000 },
    );
    return newest ?? {};
  }

  it('a repair by Claude: each turn with model, tokens and cost, and the sum everywhere', async () => {
    const { id, cost } = await repaired(0);
    expect(model.problems).toEqual([]);
    expect(cost).toBeGreaterThan(0);
    const { body: ticket } = await workspace.api('GET', `/tickets/${id}`);
    expect(ticket).toMatchObject({ cost, brain: 'claude', brains: ['claude'] });
    const { body: trajectory } = await workspace.api('GET', `/tickets/${id}/trajectory`);
    const turns = trajectory['turns'] as Json[];
    for (const turn of turns) {
      expect(turn).toMatchObject({ brain: 'claude', model: 'claude-opus-5-5', stop_reason: 'tool_use' });
      expect(turn['usd']).toBeGreaterThan(0);
    }
    expect(turns.map((turn) => typeof turn['request_id'])).not.toContain('object');
    // From the second turn on, what came before is read from the cache.
    for (const { tokens } of turns.slice(1)) expect(tokens.cache_read).toBeGreaterThan(0);
    const ofTurns = turns.reduce((sum, { usd }) => sum + Number(usd), 0);
    expect(ticket['budget_used']).toMatchObject({ turns: turns.length });
    expect(ticket['budget_used'].usd).toBeCloseTo(ofTurns, 5);
    // The verdict that opened it is part of its cost.
    expect(Number(cost)).toBeGreaterThan(ofTurns);
    const { body: stats } = await workspace.api('GET', '/stats');
    expect(stats['spend']).toMatchObject({ today_usd: cost, total_usd: cost, unpriced_calls: 0 });
    const { stdout } = await workspace.cli('ticket', 'show', String(id));
    expect(stdout).toMatch(/cost +\$0\.\d+ · [\d,]+ in/);
    expect(stdout).toMatch(/turn 1: inspect_service .*claude-opus-5-5 · [\d,]+ in .*\/ [\d,]+ out · /);
  });

  it('the model gives no answer after its first turn: the runbook takes over the same ticket, and both are told', async () => {
    model.inject(
      FAULTS.http(401, 'authentication_error', 'invalid x-api-key'),
      // One asks for the verdict, one for the first turn.
      model.messageRequests.length + 3,
    );
    const { id, cost } = await repaired(1);
    const { body: ticket } = await workspace.api('GET', `/tickets/${id}`);
    expect(ticket).toMatchObject({
      status: 'completed',
      resolution: 'fixed',
      brain: 'runbook',
      brains: ['claude', 'runbook'],
    });
    expect(cost).toBeGreaterThan(0);
    const lines = (ticket['timeline'] as Json[]).filter(({ kind }) => kind === 'handed_over');
    expect(lines).toMatchObject([{ title: 'the runbook brain takes over from claude' }]);
    expect(lines[0]?.['detail']).not.toBe('');
    const { stdout } = await workspace.cli('ticket', 'show', String(id));
    expect(stdout).toContain('(before: claude)');
    expect(stdout).toContain('the runbook brain takes over from claude');
    expect((await workspace.cli('tickets')).stdout).toMatch(/BRAIN/);
  });

  it('the archive has it too', async () => {
    const [ticket] = await workspace.tickets();
    const archived = await waitFor('the archive', () =>
      readArchived(workspace.dataDir, String(ticket?.['id'])),
    );
    expect(archived.costUsd).toBeCloseTo(Number(ticket?.['cost']), 6);
    expect(archived.turns[0]?.model).toMatchObject({ name: 'claude-opus-5-5' });
    expect(archived.turns.at(-1)).toMatchObject({ brain: 'runbook', model: null });
  });
});
