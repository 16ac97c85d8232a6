import { FAULTS } from '../support/claude-server/faults';
import { runbookPlayer } from '../support/claude-server/runbook-player';
import type { ClaudeServer } from '../support/claude-server/server';
import { startClaudeServer } from '../support/claude-server/server';
import type { Json } from '../support/harness-process';
import { HarnessWorkspace } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

const OPEN_BY_MS = 8_000;
/** What collecting evidence before and opening the ticket after may take on a busy machine. */
const MARGIN_MS = 2_000;

/** Each run sees at most three kills: with the fourth the service would count as flapping, and its proofs take 30 s. */
describe('harness run with a model', () => {
  let claude: ClaudeServer;
  let workspace: HarnessWorkspace;

  async function start(analyst: Json = {}): Promise<void> {
    claude = await startClaudeServer({ script: runbookPlayer() });
    workspace = await HarnessWorkspace.create((config) => {
      config['analyst'] = analyst;
    });
    Object.assign(workspace.env, {
      ANTHROPIC_API_KEY: 'sk-ant-stand-in-0001',
      ANTHROPIC_BASE_URL: claude.baseUrl,
    });
    await workspace.run();
  }
  async function stop(): Promise<void> {
    await workspace.dispose();
    await claude.close();
  }

  /** Kills the service; the ticket as it is when it can first be seen, and how long that took. */
  async function killService(): Promise<{ ticket: Json; openedAfterMs: number }> {
    await workspace.untilUp();
    const known = new Set((await workspace.tickets()).map(({ id }) => String(id)));
    process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
    const ticket = await waitFor<Json>(
      'a ticket',
      async () => (await workspace.tickets()).find(({ id }) => !known.has(String(id))),
      { limitMs: 20_000, everyMs: 50 },
    );
    const openedAfterMs =
      Date.parse(String(ticket['created_at'])) - Date.parse(String(ticket['detected_at']));
    return { ticket, openedAfterMs };
  }

  /** Who gave the verdict; anybody else comes with what the log says of the analyst. */
  function expectVerdictBy(brain: string, ticket: Json): void {
    const said = workspace.output.split('\n').filter((line) => line.includes('analyst'));
    const by = ticket['verdict_by'] as string;
    expect(by === brain ? by : { by, ticket, said }).toBe(brain);
  }

  const detailOf = async (id: unknown): Promise<Json> =>
    (await workspace.api('GET', `/tickets/${String(id)}`)).body;

  async function untilFixed(id: unknown): Promise<Json> {
    const closed = await waitFor<Json>(
      'the ticket closes',
      async () => {
        const detail = await detailOf(id);
        return detail['closed_at'] === null ? null : detail;
      },
      { limitMs: 60_000 },
    );
    expect(closed).toMatchObject({ status: 'completed', resolution: 'fixed' });
    return closed;
  }

  describe('which has 8 s', () => {
    beforeAll(() => start());
    afterAll(stop);
    afterEach(() => expect(claude.problems).toEqual([]));

    it.each([1, 3, 6])(
      'a verdict after %d s: the ticket carries it, and says who gave it',
      async (seconds) => {
        claude.latencyMs = seconds * 1_000;
        const { ticket, openedAfterMs } = await killService();
        claude.latencyMs = 0;
        expectVerdictBy('claude', ticket);
        expect(ticket['suspected_cause']).toContain('[E1]');
        expect(openedAfterMs).toBeGreaterThan(seconds * 1_000);
        expect(openedAfterMs).toBeLessThan(OPEN_BY_MS + MARGIN_MS);
        const closed = await untilFixed(ticket['id']);
        expect(closed['hypotheses']).toEqual([
          { cause: expect.any(String), evidence: expect.arrayContaining(['E1']) },
        ]);
        const { stdout } = await workspace.cli('ticket', 'show', String(ticket['id']));
        expect(stdout).toMatch(/^verdict +by claude, 80 % sure of the cause$/m);
      },
    );
  });

  describe('which says nothing of use', () => {
    beforeAll(() => start());
    afterAll(stop);
    afterEach(() => expect(claude.problems).toEqual([]));

    it('silence: the ticket opens on time with the rules’ verdict, and the next failure is not held up', async () => {
      claude.inject(FAULTS.hang());
      const { ticket, openedAfterMs } = await killService();
      expect(ticket).toMatchObject({
        verdict_by: 'runbook',
        suspected_cause: expect.stringContaining('SIGKILL'),
      });
      expect(openedAfterMs).toBeGreaterThan(OPEN_BY_MS - 500);
      expect(openedAfterMs).toBeLessThan(OPEN_BY_MS + MARGIN_MS);
      await untilFixed(ticket['id']);
      const next = await killService();
      expectVerdictBy('claude', next.ticket);
      await untilFixed(next.ticket['id']);
      expect(claude.messageRequests.filter(({ fault }) => fault === 'hang')).toHaveLength(1);
    });

    it('a key that is refused: the ticket opens at once, and the log says what to do', async () => {
      claude.inject(FAULTS.http(401, 'authentication_error', 'invalid key'));
      const { ticket, openedAfterMs } = await killService();
      expectVerdictBy('runbook', ticket);
      expect(openedAfterMs).toBeLessThan(OPEN_BY_MS - 500);
      expect(workspace.output).toMatch(/no verdict of the analyst: .*check ANTHROPIC_API_KEY/);
      await untilFixed(ticket['id']);
    });
  });

  describe('for which no ticket waits', () => {
    beforeAll(() => start({ open_by: '0ms' }));
    afterAll(stop);

    it('the ticket opens with the rules’ verdict and hears the other one when it comes', async () => {
      claude.latencyMs = 300;
      const { ticket, openedAfterMs } = await killService();
      expect(ticket['verdict_by']).toBe('runbook');
      expect(openedAfterMs).toBeLessThan(MARGIN_MS);
      const { timeline } = await untilFixed(ticket['id']);
      expect(timeline).toContainEqual(
        expect.objectContaining({
          kind: 'verdict',
          title: 'late verdict by Claude',
          detail: expect.stringContaining('[E1]'),
        }),
      );
      expect(claude.problems).toEqual([]);
    });
  });
});
