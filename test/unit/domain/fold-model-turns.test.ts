import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { HistoryEvent } from '../../../src/domain/history-event';
import type { Json } from '../../../src/domain/json';
import { attemptUse, brainsOf, costOfTicket } from '../../../src/domain/ticket-cost';

type Without<T> = T extends HistoryEvent ? Omit<T, 'id' | 'at'> : never;
type Given = Without<HistoryEvent>;

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

/** Numbers the events and puts them one second apart. */
function fold(...events: Given[]) {
  return foldTrajectory(events.map((event, index) => ({ id: index + 1, at: at(index), ...event })));
}

const START: Given = {
  type: 'started',
  workflowId: 'api_ok',
  runId: 'r1',
  workflowType: 'RemediateTicket',
  input: [{ ticket: { id: 'T1', invariantId: 'api_ok' } }],
  continuedFrom: null,
  searchAttributes: { TicketStatus: 'pending' },
  memo: {},
};
const asks = (turn: number, brain: string, more: Record<string, Json> = {}): Given => ({
  type: 'activity_scheduled',
  activity: 'proposeStep',
  queue: 'q',
  input: [{ turn, attempt: 1, brain, ...more }],
  summary: null,
});
const answers = (scheduledId: number, proposal: Record<string, Json>): Given => ({
  type: 'activity_completed',
  scheduledId,
  result: { brain: 'claude', text: '', calls: [], memory: null, ...proposal },
});
const attributes = (searchAttributes: Record<string, Json>): Given => ({
  type: 'search_attributes_upserted',
  searchAttributes,
});
const attempt = (number: number): Given => ({ type: 'memo_upserted', memo: { attempt: number } });
const failed = (scheduledId: number, message: string): Given => ({
  type: 'activity_failed',
  scheduledId,
  failure: { message, type: 'ClaudeUnavailable', details: [], cause: null },
});

const TOKENS = { input: 100, cacheWrite5m: 20, cacheWrite1h: 0, cacheRead: 3_000, output: 50 };
const model = (over: Record<string, Json> = {}): Json => ({
  name: 'claude-opus-5-5',
  version: 'v',
  opening: 'the whole ticket',
  content: [{ type: 'thinking', thinking: 'hm', signature: 'sig' }],
  stopReason: 'tool_use',
  requestId: 'req_1',
  tokens: TOKENS,
  usd: 0.01,
  attemptUsd: 0.01,
  ...over,
});
const handedOver = (trajectory: ReturnType<typeof fold>) =>
  trajectory.timeline.filter(({ kind }) => kind === 'handed_over');

describe('a turn of a model', () => {
  it('name, tokens, cost, stop reason and request ID; neither the opening nor the content of the reply', () => {
    const trajectory = fold(START, asks(1, 'claude'), answers(2, { model: model() }));
    expect(trajectory.turns[0]?.model).toEqual({
      name: 'claude-opus-5-5',
      stopReason: 'tool_use',
      requestId: 'req_1',
      tokens: TOKENS,
      usd: 0.01,
    });
    expect(JSON.stringify(trajectory)).not.toMatch(/the whole ticket|sig/);
  });

  it.each<[string, Json, unknown]>([
    ['of another shape', 'opus', null],
    ['without tokens', { name: 'm' }, null],
    [
      'with counts that are none',
      { name: 'm', tokens: { input: 'many', output: 3 }, usd: 'free' },
      {
        name: 'm',
        stopReason: null,
        requestId: null,
        tokens: { input: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 3 },
        usd: null,
      },
    ],
  ])('a model %s: the turn is told all the same', (_name, given, expected) => {
    const { turns, timeline } = fold(START, asks(1, 'claude'), answers(2, { text: 'I look', model: given }));
    expect(turns).toMatchObject([{ brain: 'claude', text: 'I look', model: expected }]);
    expect(timeline.at(-1)).toMatchObject({ kind: 'proposed', title: 'turn 1: no call' });
  });

  it('calls that are answered without being run: refused, with what they asked for and why', () => {
    const look = { id: 'c1', name: 'inspect_service', input: {} };
    const restart = { action: 'restart', service: 'api' };
    const unrun = (callId: string, content: string) => ({
      callId,
      tool: 'service_control',
      isError: true,
      content,
      data: null,
    });
    const { turns, timeline } = fold(
      START,
      asks(1, 'claude'),
      answers(2, {
        calls: [look],
        unrun: [
          unrun('c2', 'Refused: asked three times'),
          unrun('c3', 'not executed because it is no object'),
        ],
        model: model({
          content: [
            { type: 'tool_use', ...look },
            { type: 'tool_use', id: 'c2', name: 'service_control', input: restart },
            { type: 'tool_use', id: 'c3', name: 'service_control', input: 'all of them' },
          ],
        }),
      }),
    );
    const refused = { result: null, failure: null, startedAt: null, endedAt: null };
    const deny = (reason: string) => ({ verdict: 'deny', rule: 'not run', reason });
    expect(turns[0]?.calls).toEqual([
      { call: look, decision: null, ...refused },
      {
        call: { id: 'c2', name: 'service_control', input: restart },
        decision: deny('asked three times'),
        ...refused,
      },
      {
        call: { id: 'c3', name: 'service_control', input: {} },
        decision: deny('not executed because it is no object'),
        ...refused,
      },
    ]);
    expect(timeline.slice(-2)).toMatchObject([
      { kind: 'decided', title: 'service_control refused', detail: 'not run: asked three times', ok: false },
      { kind: 'decided', title: 'service_control refused', ok: false },
    ]);
  });

  it('a call for a person that was not run is not what the ticket is blocked for', () => {
    const ask = { id: 'c1', name: 'update_ticket_status', input: { status: 'blocked', reason: 'lost' } };
    const unrun = { callId: 'c1', tool: 'update_ticket_status', isError: true, content: 'later', data: null };
    const { escalation } = fold(
      START,
      asks(1, 'claude'),
      answers(2, { unrun: [unrun], model: model({ content: [{ type: 'tool_use', ...ask }] }) }),
      attributes({ TicketStatus: 'blocked' }),
      { type: 'memo_upserted', memo: { blocked_on: 'budget', escalation_reason: 'turns are spent' } },
    );
    expect(escalation).toMatchObject({ reason: 'turns are spent', report: '' });
  });

  it('one that ends its turn says that it is done', () => {
    const { timeline } = fold(START, asks(1, 'claude'), answers(2, { isFinished: true, model: model() }));
    expect(timeline.at(-1)?.title).toBe('turn 1: says that it is done');
  });

  it('a call to the model that was tried again is told with its reason', () => {
    const { timeline } = fold(START, asks(1, 'claude'), {
      type: 'activity_started',
      scheduledId: 2,
      attempt: 2,
      worker: 'w',
      lastFailure: { message: 'overloaded', type: 'ClaudeUnavailable', details: [], cause: null },
    });
    expect(timeline).toContainEqual({
      at: at(2),
      kind: 'activity_retried',
      title: 'turn 1: the claude brain thinks: try 2',
      detail: 'overloaded',
      ok: null,
    });
  });
});

describe('a hand-over', () => {
  const RUNBOOK = attributes({ Brain: 'runbook' });
  const begun = [START, attributes({ Brain: 'claude' }), attempt(1)] as const;

  it('the proposal says that it cannot go on: who takes over and why, once', () => {
    const trajectory = fold(
      ...begun,
      asks(1, 'claude'),
      answers(4, { handOver: 'the budget is spent (agent.budget.usd)' }),
      RUNBOOK,
      asks(2, 'runbook', { notes: ['The claude brain could not go on: the budget is spent'] }),
      answers(7, { brain: 'runbook', text: 'it is dead' }),
    );
    expect(trajectory.timeline.map(({ title }) => title).slice(-3)).toEqual([
      'turn 1: cannot go on',
      'the runbook brain takes over from claude',
      'turn 2: no call',
    ]);
    expect(handedOver(trajectory)).toEqual([
      {
        at: at(5),
        kind: 'handed_over',
        title: 'the runbook brain takes over from claude',
        detail: 'the budget is spent (agent.budget.usd)',
        ok: null,
      },
    ]);
    expect(trajectory.brain).toBe('runbook');
    expect(brainsOf(trajectory.turns)).toEqual(['claude', 'runbook']);
  });

  it('the model gave no answer: the reason is the failure, and the turn has ended', () => {
    const trajectory = fold(...begun, asks(1, 'claude'), failed(4, 'no credit'), RUNBOOK);
    expect(handedOver(trajectory)).toMatchObject([{ detail: 'no credit' }]);
    expect(trajectory.turns).toMatchObject([{ model: null, endedAt: at(4) }]);
  });

  const ask = { id: 'c1', name: 'update_ticket_status', input: { status: 'blocked', reason: 'raw' } };
  /** The call for a person is carried out, as event `id`. */
  const asked = (id: number, data: Record<string, Json>): Given[] => [
    { type: 'activity_scheduled', activity: ask.name, queue: 'q', input: [{ call: ask }], summary: null },
    {
      type: 'activity_completed',
      scheduledId: id,
      result: { callId: ask.id, tool: ask.name, isError: false, content: '', data },
    },
  ];

  it('it asked for a person: the reason is its own', () => {
    const trajectory = fold(
      START,
      attributes({ Brain: 'runbook' }),
      attempt(1),
      asks(1, 'runbook'),
      answers(4, { brain: 'runbook', calls: [ask] }),
      ...asked(6, { reason: 'masked', report: '' }),
      attributes({ Brain: 'claude' }),
    );
    expect(handedOver(trajectory)).toMatchObject([
      { title: 'the claude brain takes over from runbook', detail: 'masked' },
    ]);
  });

  it('whoever is asked in the end hears why the brain before could not go on', () => {
    const { escalation } = fold(
      ...begun,
      asks(1, 'claude'),
      failed(4, 'the key is refused'),
      RUNBOOK,
      asks(2, 'runbook'),
      answers(7, { brain: 'runbook', calls: [ask] }),
      ...asked(9, { reason: 'port taken', report: 'pid 7 has it' }),
      attributes({ TicketStatus: 'blocked' }),
      { type: 'memo_upserted', memo: { blocked_on: 'person', escalation_reason: 'port taken' } },
    );
    expect(escalation).toMatchObject({
      reason: 'port taken',
      report: 'pid 7 has it\n\nthe runbook brain takes over from claude: the key is refused',
    });
  });

  it('its turns are spent: what the next brain is told says so', () => {
    const news = 'The claude brain could not go on: its 1 turns are spent.';
    const trajectory = fold(
      ...begun,
      asks(1, 'claude'),
      answers(4, {}),
      RUNBOOK,
      asks(2, 'runbook', { notes: [news, 'api_ok fails'] }),
    );
    expect(handedOver(trajectory)).toMatchObject([{ detail: news }]);
  });

  it('without the attribute: told with the first turn of the other brain', () => {
    const trajectory = fold(START, asks(1, 'claude'), failed(2, 'boom'), asks(2, 'runbook'));
    expect(handedOver(trajectory)).toMatchObject([{ at: at(3), detail: 'boom' }]);
  });

  it('a new attempt begins with the first brain again: no hand-over', () => {
    const trajectory = fold(
      ...begun,
      asks(1, 'claude'),
      failed(4, 'boom'),
      RUNBOOK,
      asks(2, 'runbook'),
      answers(7, { brain: 'runbook' }),
      attempt(2),
      attributes({ Brain: 'claude' }),
      asks(1, 'claude', { attempt: 2 }),
    );
    expect(handedOver(trajectory)).toHaveLength(1);
  });
});

describe('what a ticket cost', () => {
  const none = { input: 0, cacheWrite5m: 0, cacheWrite1h: 0, cacheRead: 0, output: 0 };
  const twoTurns = [
    asks(1, 'claude'),
    answers(2, { model: model() }),
    asks(2, 'claude'),
    answers(4, { model: model({ usd: 0.02 }) }),
  ] as const;

  it('no model: nothing, and known to be nothing', () => {
    const trajectory = fold(START, asks(1, 'runbook'), answers(2, { brain: 'runbook' }));
    expect(trajectory).toMatchObject({ costUsd: null, attemptCostUsd: null });
    expect(costOfTicket(trajectory)).toEqual({ usd: 0, tokens: none });
  });

  it('as the run published it, failed calls included; else the sum of the turns', () => {
    const tokens = { input: 200, cacheWrite5m: 40, cacheWrite1h: 0, cacheRead: 6_000, output: 100 };
    const published = fold(START, ...twoTurns, attributes({ CostUsd: 0.07 }));
    expect(costOfTicket(published)).toEqual({ usd: 0.07, tokens });
    const { usd } = costOfTicket(fold(START, ...twoTurns));
    expect(usd).toBeCloseTo(0.03, 9);
  });

  it('a model without a known price: not known', () => {
    const trajectory = fold(
      { ...START, searchAttributes: { CostUsd: 0 } },
      asks(1, 'claude'),
      answers(2, { model: model({ usd: null }) }),
    );
    expect(costOfTicket(trajectory).usd).toBeNull();
  });

  it('the current attempt: its own turns, tokens as the budget counts them, and what the earlier ones left', () => {
    const trajectory = fold(
      START,
      attempt(1),
      asks(1, 'claude'),
      answers(3, { model: model() }),
      attributes({ CostUsd: 0.25 }),
      attempt(2),
      asks(1, 'claude', { attempt: 2 }),
      answers(7, { model: model() }),
      attributes({ CostUsd: 0.3 }),
      asks(2, 'runbook', { attempt: 2 }),
    );
    const { usd, ...use } = attemptUse(trajectory);
    expect(use).toEqual({ turns: 2, tokens: 170 });
    expect(usd).toBeCloseTo(0.05, 9);
  });
});
