import { MockActivityEnvironment } from '@temporalio/testing';
import { createClaudeBrain } from '../../../../src/activities/claude/claude-brain';
import { createModelCall } from '../../../../src/activities/claude/model-call';
import { NOTHING_SPENT } from '../../../../src/domain/budget';
import { FAILURES } from '../../../../src/domain/failures';
import type { Proposal } from '../../../../src/domain/tool';
import { BRAIN_CONFIG } from '../../../support/brain-config';
import type { ClaudeServer } from '../../../support/claude-server/server';
import { startClaudeServer } from '../../../support/claude-server/server';
import { TICKET } from '../../../support/tool-deps';

const LOOK = { calls: [{ name: 'inspect_service', input: { service: 'limiter' } }] };
const KEY = 'sk-ant-stand-in-0123456789';

let server: ClaudeServer;
beforeEach(async () => (server = await startClaudeServer({ script: () => LOOK, apiKey: KEY })));
afterEach(() => server.close());

function takeTurn(record: () => Promise<void>): Promise<Proposal> {
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
      ofAttempt: () => Promise.resolve(NOTHING_SPENT),
      today: () => Promise.resolve({ day: '2026-01-01', usd: 0 }),
    },
    readHistory: () => Promise.resolve([]),
    redact,
    now,
    log: { warn: () => undefined },
  });
  const input = { ticket: TICKET, brain: 'claude' as const, attempt: 1, turn: 1, results: [], notes: [] };
  return new MockActivityEnvironment().run(brain, { ...input, memory: null });
}

test('a turn: what the model asks for, and its part of the transcript', async () => {
  const proposal = await takeTurn(() => Promise.resolve());
  expect(server.problems).toEqual([]);
  expect(proposal.calls).toMatchObject([{ name: 'inspect_service', input: { service: 'limiter' } }]);
  expect(proposal.model).toMatchObject({ name: 'claude-opus-5-5', stopReason: 'tool_use' });
});

test('a cost that cannot be written down: the turn is not paid a second time, the next brain takes over', async () => {
  await expect(takeTurn(() => Promise.reject(new Error('ENOSPC')))).rejects.toMatchObject({
    type: FAILURES.storage,
    nonRetryable: true,
    message: expect.stringContaining('could not be written down: ENOSPC') as string,
  });
  expect(server.messageRequests).toHaveLength(1);
});
