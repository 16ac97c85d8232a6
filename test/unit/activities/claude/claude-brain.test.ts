import { MockActivityEnvironment } from '@temporalio/testing';
import type { ApplicationFailure } from '@temporalio/common';
import { createClaudeBrain } from '../../../../src/activities/claude/claude-brain';
import { createModelCall } from '../../../../src/activities/claude/model-call';
import type { ModelSpend } from '../../../../src/domain/budget';
import { NOTHING_SPENT } from '../../../../src/domain/budget';
import { FAILURES } from '../../../../src/domain/failures';
import type { Proposal } from '../../../../src/domain/tool';
import { BRAIN_CONFIG } from '../../../support/brain-config';
import { FAULTS } from '../../../support/claude-server/faults';
import type { ClaudeServer } from '../../../support/claude-server/server';
import { startClaudeServer } from '../../../support/claude-server/server';
import { TICKET } from '../../../support/tool-deps';

const LOOK = { calls: [{ name: 'inspect_service', input: { service: 'limiter' } }] };
const KEY = 'sk-ant-stand-in-0123456789';

let server: ClaudeServer;
beforeEach(async () => (server = await startClaudeServer({ script: () => LOOK, apiKey: KEY })));
afterEach(() => server.close());

function takeTurn(
  record: () => Promise<void> = () => Promise.resolve(),
  spent: ModelSpend = NOTHING_SPENT,
): Promise<Proposal> {
  const redact = (text: string) => text;
  const now = () => new Date('2026-01-01T00:01:00.000Z');
  const call = createModelCall({
    claude: { apiKey: KEY, baseUrl: server.baseUrl },
    profile: 'full',
    redact,
    now,
  });
  if (!call) throw new Error('no call');
  const brain = createClaudeBrain({
    call,
    agent: BRAIN_CONFIG.agent,
    ledger: {
      record,
      ofAttempt: () => Promise.resolve(spent),
      today: () => Promise.resolve(0),
    },
    readHistory: () => Promise.resolve([]),
    redact,
    log: { warn: () => undefined },
  });
  const input = { ticket: TICKET, brain: 'claude' as const, attempt: 1, turn: 1, results: [], notes: [] };
  return new MockActivityEnvironment().run(brain, { ...input, memory: null });
}

test('a turn: what the model asks for, and its part of the transcript', async () => {
  const proposal = await takeTurn();
  expect(server.problems).toEqual([]);
  expect(proposal.calls).toMatchObject([{ name: 'inspect_service', input: { service: 'limiter' } }]);
  expect(proposal.model).toMatchObject({ name: 'claude-opus-5-5', stopReason: 'tool_use' });
});

describe('what the attempt has cost', () => {
  const spent: ModelSpend = { usd: 0.1, tokens: 5 };

  test('before, and with this turn', async () => {
    const { model } = await takeTurn(undefined, spent);
    expect(model?.usd).toBeGreaterThan(0);
    expect(model?.attemptUsd).toBeCloseTo(spent.usd + (model?.usd ?? 0), 9);
  });

  test('before, and with a call that broke off after the API had begun to count', async () => {
    server.inject(FAULTS.cutMidStream(), 1);
    const failure: unknown = await takeTurn(undefined, spent).catch((error: unknown) => error);
    const [details] = (failure as ApplicationFailure).details as { attemptUsd: number }[];
    expect(details?.attemptUsd).toBeGreaterThan(spent.usd);
  });
});

test('a cost that cannot be written down: the turn is not paid a second time, the next brain takes over', async () => {
  await expect(takeTurn(() => Promise.reject(new Error('ENOSPC')))).rejects.toMatchObject({
    type: FAILURES.storage,
    nonRetryable: true,
    message: expect.stringContaining('could not be written down: ENOSPC') as string,
  });
  expect(server.messageRequests).toHaveLength(1);
});
