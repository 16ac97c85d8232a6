import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { HistoryEvent, RecordedFailure } from '../../../src/domain/history-event';
import type { Json } from '../../../src/domain/json';
import type { TicketSpec } from '../../../src/domain/ticket';
import { ticketView } from '../../../src/domain/ticket-view';

type Without<T> = T extends HistoryEvent ? Omit<T, 'id' | 'at'> : never;

/** Numbers the events and puts them one second apart. */
function history(...events: Without<HistoryEvent>[]): HistoryEvent[] {
  return events.map((event, index) => ({ id: index + 1, at: at(index), ...event }));
}

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const DETECTED = '2025-12-31T23:59:58.000Z';

const check = {
  invariantId: 'api_ok',
  revision: 1,
  at: DETECTED,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error: 'refused',
};
const spec: TicketSpec = {
  id: 'T1',
  invariantId: 'api_ok',
  service: 'api',
  objective: 'Bring api back',
  successCriteria: 'it holds',
  context: '',
  priority: 'high',
  suspectedCause: 'killed',
  confidence: 0.9,
  sourceType: 'monitor',
  sourceId: 'api_ok',
  detectedAt: DETECTED,
  createdAt: at(0),
  joinedInvariants: [],
  evidence: [{ id: 'E1', kind: 'process', at: DETECTED, title: 'exited', text: '' }],
  firstCheck: check,
};
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

const started = (over: object = {}): Without<HistoryEvent> => ({
  type: 'started',
  workflowId: 'api_ok',
  runId: 'r1',
  workflowType: 'RemediateTicket',
  input: [plain({ ticket: spec })],
  continuedFrom: null,
  searchAttributes: { TicketStatus: 'pending' },
  memo: {},
  ...over,
});
const scheduled = (
  activity: string,
  input: Json = {},
  summary: string | null = null,
): Without<HistoryEvent> => ({
  type: 'activity_scheduled',
  activity,
  queue: 'q',
  input: [input],
  summary,
});
const completed = (scheduledId: number, result: Json = null): Without<HistoryEvent> => ({
  type: 'activity_completed',
  scheduledId,
  result,
});
const attributes = (searchAttributes: Record<string, Json>): Without<HistoryEvent> => ({
  type: 'search_attributes_upserted',
  searchAttributes,
});
const memo = (fields: Record<string, Json>): Without<HistoryEvent> => ({
  type: 'memo_upserted',
  memo: fields,
});
const signal = (name: string, input: Json): Without<HistoryEvent> => ({
  type: 'signaled',
  signal: name,
  input: [input],
  by: 'x',
});
const failure = (
  message: string,
  type: string | null = null,
  cause: RecordedFailure | null = null,
): RecordedFailure => ({
  message,
  type,
  details: [],
  cause,
});
const kinds = (events: HistoryEvent[]) => foldTrajectory(events).timeline.map(({ kind }) => kind);
const last = (events: HistoryEvent[]) => foldTrajectory(events).timeline.at(-1);

const CALL = { id: 'c1', name: 'service_control', input: { service: 'api', action: 'restart' } };
const RESULT = {
  callId: 'c1',
  tool: 'service_control',
  isError: false,
  content: 'restarted',
  data: { outcome: 'performed' },
};
/** Events 2 to 7: one turn with its decision. */
const turn = [
  scheduled('proposeStep', { turn: 1, attempt: 1, brain: 'runbook' }),
  completed(2, { brain: 'runbook', text: 'it is dead', calls: [CALL], memory: null }),
  scheduled('decide', { call: CALL }),
  completed(4, { verdict: 'allow', rule: 'own service', reason: '' }),
];

it('empty history: nothing is known, nothing is invented', () => {
  expect(foldTrajectory([])).toMatchObject({
    ticket: null,
    status: 'pending',
    turns: [],
    timeline: [],
    openedAt: null,
  });
});

it('a fresh ticket: detected and opened, with what was known at the start', () => {
  const trajectory = foldTrajectory(history(started()));
  expect(trajectory).toMatchObject({
    workflowId: 'api_ok',
    runId: 'r1',
    run: 'running',
    status: 'pending',
    openedAt: at(0),
    closedAt: null,
    evidence: { initial: [{ id: 'E1' }], later: [] },
    timeline: [
      { at: DETECTED, kind: 'detected', title: 'api_ok fails', detail: 'refused', ok: false },
      { at: at(0), kind: 'opened', detail: 'Bring api back' },
    ],
  });
});

it('an unreadable ticket: no ticket, and the rest is still told', () => {
  const trajectory = foldTrajectory(
    history(started({ input: [{ $payload: 'binary/encrypted', bytes: 9 }] })),
  );
  expect(trajectory.ticket).toBeNull();
  expect(ticketView(trajectory, null)).toBeNull();
  expect(trajectory.timeline.map(({ kind }) => kind)).toEqual(['opened']);
});

it('what does not act is decided with the turn', () => {
  const looks = ['c2', 'c3'].map((id) => ({ id, name: 'query_logs', input: {} }));
  const [proposed] = turn;
  const decisions = [
    { verdict: 'allow', rule: 'own service', reason: '' },
    { verdict: 'deny', rule: 'other service', reason: 'not yours' },
  ];
  const answered = completed(2, { brain: 'runbook', text: '', calls: looks, decisions, memory: null });
  const trajectory = foldTrajectory(history(started(), proposed as HistoryEvent, answered));
  expect(trajectory.turns[0]?.calls.map(({ decision }) => decision)).toEqual(decisions);
  expect(trajectory.timeline.filter(({ kind }) => kind === 'decided')).toMatchObject([
    { title: 'query_logs allowed', ok: true },
    { title: 'query_logs refused', detail: 'other service: not yours', ok: false },
  ]);
});

it('a turn: text, call, decision and result, with the times of the tool', () => {
  const trajectory = foldTrajectory(
    history(started(), ...turn, scheduled('service_control', { call: CALL }), completed(6, RESULT)),
  );
  expect(trajectory.turns).toEqual([
    {
      turn: 1,
      attempt: 1,
      brain: 'runbook',
      model: null,
      text: 'it is dead',
      startedAt: at(1),
      endedAt: at(2),
      calls: [
        {
          call: CALL,
          decision: { verdict: 'allow', rule: 'own service', reason: '' },
          result: RESULT,
          failure: null,
          startedAt: at(5),
          endedAt: at(6),
        },
      ],
    },
  ]);
  expect(trajectory.timeline.slice(2)).toMatchObject([
    { kind: 'proposed', title: 'turn 1: service_control restart api' },
    { kind: 'decided', title: 'service_control allowed', ok: true },
    { kind: 'tool', title: 'service_control restart api', detail: 'restarted', ok: true },
  ]);
});

it('a denied call: refused with its rule, never started', () => {
  const events = history(
    started(),
    ...turn.slice(0, 3),
    completed(4, { verdict: 'deny', rule: 'readonly', reason: 'only looking' }),
  );
  expect(last(events)).toMatchObject({ kind: 'decided', ok: false, detail: 'readonly: only looking' });
  expect(foldTrajectory(events).turns[0]?.calls[0]).toMatchObject({ startedAt: null, result: null });
});

it('a running tool: shown as running, and not any more once the run was terminated under it', () => {
  const events = history(started(), ...turn, scheduled('service_control', { call: CALL }));
  expect(foldTrajectory(events).running).toMatchObject([{ activity: 'service_control', since: at(5) }]);
  expect(last(events)).toMatchObject({ kind: 'tool', detail: 'running', ok: null });
  const ended = [...events, { id: 7, at: at(9), type: 'terminated', reason: 'wrong', by: 'ops' } as const];
  expect(foldTrajectory(ended)).toMatchObject({
    run: 'terminated',
    status: 'failed',
    closedAt: at(9),
    running: [],
  });
  expect(foldTrajectory(ended).turns[0]?.calls[0]).toMatchObject({ startedAt: at(5), endedAt: null });
});

it.each<[string, Without<HistoryEvent>, string, string]>([
  [
    'failed',
    { type: 'activity_failed', scheduledId: 6, failure: failure('boom') },
    'activity_failed',
    'boom',
  ],
  [
    'timed out',
    { type: 'activity_timed_out', scheduledId: 6, failure: failure('activity timeout', 'Timeout:heartbeat') },
    'activity_timed_out',
    'heartbeat',
  ],
  ['cancelled', { type: 'activity_canceled', scheduledId: 6 }, 'activity_canceled', ''],
])('a tool that %s: its outcome is not known, and the timeline says so', (_name, end, kind, detail) => {
  const events = history(started(), ...turn, scheduled('service_control', { call: CALL }), end);
  expect(last(events)).toMatchObject({ kind, detail });
  expect(foldTrajectory(events).turns[0]?.calls[0]).toMatchObject({ result: null, endedAt: at(6) });
  expect(foldTrajectory(events).turns[0]?.calls[0]?.failure).not.toBeNull();
});

it('a second try of an activity: told with the reason of the first', () => {
  const events = history(started(), scheduled('claimTicket'), {
    type: 'activity_started',
    scheduledId: 2,
    attempt: 3,
    worker: 'w',
    lastFailure: failure('worker gone', 'Timeout:heartbeat', failure('socket closed')),
  });
  expect(foldTrajectory(events).timeline).toContainEqual(
    expect.objectContaining({
      kind: 'activity_retried',
      title: 'an agent takes the ticket: try 3',
      detail: 'heartbeat: socket closed',
    }),
  );
});

it('a tool call that no turn announced is kept: nothing that ran is hidden', () => {
  const events = history(started(), scheduled('service_control', { call: CALL }), completed(2, RESULT));
  expect(foldTrajectory(events).turns).toMatchObject([{ turn: 0, calls: [{ call: CALL, result: RESULT }] }]);
});

it('claimed, and closed as the search attributes say, before the run itself has ended', () => {
  const events = history(
    started(),
    scheduled('claimTicket'),
    completed(2, { agent: 'agent@host', brain: 'runbook' }),
    attributes({ TicketStatus: 'in_progress', TicketPhase: 'investigating', Brain: 'runbook' }),
    memo({ attempt: 1, blocked_on: null }),
    attributes({ TicketStatus: 'completed', TicketPhase: null, TicketResolution: 'fixed' }),
    scheduled('archiveTicket'),
  );
  expect(foldTrajectory(events)).toMatchObject({
    run: 'running',
    status: 'completed',
    phase: null,
    resolution: 'fixed',
    brain: 'runbook',
    attempt: 1,
    claimedAt: at(2),
    closedAt: at(5),
    running: [],
  });
  expect(last(events)).toMatchObject({ kind: 'closed', title: 'closed: fixed', ok: true });
});

it('archived and then ended: the story is the same', () => {
  const closed = history(
    started(),
    attributes({ TicketStatus: 'completed', TicketResolution: 'fixed' }),
    scheduled('archiveTicket'),
  );
  const ended = [
    ...closed,
    { id: 4, at: at(4), type: 'activity_completed', scheduledId: 3, result: null },
    { id: 5, at: at(5), type: 'completed', result: null },
  ] as const;
  expect(foldTrajectory(ended)).toEqual({ ...foldTrajectory(closed), run: 'completed' });
});

it('blocked for a person: the whole report, although the memo holds only the beginning of the reason', () => {
  const reason = 'x'.repeat(500);
  const ask = {
    id: 'c1',
    name: 'update_ticket_status',
    input: { status: 'blocked', reason, report: 'as the brain said it, unmasked' },
  };
  const events = history(
    started(),
    scheduled('proposeStep', { turn: 1, attempt: 1, brain: 'runbook' }),
    completed(2, { brain: 'runbook', text: '', calls: [ask] }),
    scheduled('update_ticket_status', { call: ask }),
    completed(4, {
      ...RESULT,
      tool: 'update_ticket_status',
      data: { status: 'blocked', reason, report: 'Facts: 1' },
    }),
    attributes({ TicketStatus: 'blocked', TicketPhase: null }),
    memo({ blocked_on: 'person', escalation_reason: reason.slice(0, 300), attempt: 1 }),
  );
  expect(foldTrajectory(events)).toMatchObject({
    status: 'blocked',
    blockedOn: 'person',
    escalation: { at: at(6), reason, report: 'Facts: 1' },
  });
  expect(last(events)).toMatchObject({
    kind: 'blocked',
    title: 'blocked: waits for a person',
    detail: reason,
    ok: false,
  });
});

it('blocked, resumed, blocked on the monitor: each is told once', () => {
  const events = history(
    started(),
    attributes({ TicketStatus: 'blocked' }),
    memo({ blocked_on: 'budget', escalation_reason: 'turns spent' }),
    attributes({ TicketStatus: 'in_progress', TicketPhase: 'investigating' }),
    memo({ blocked_on: null, attempt: 2, escalation_reason: 'turns spent' }),
    attributes({ TicketStatus: 'blocked' }),
    memo({ blocked_on: 'monitor', escalation_reason: 'turns spent' }),
    memo({ blocked_on: 'monitor', escalation_reason: 'turns spent' }),
  );
  expect(foldTrajectory(events).timeline.slice(2)).toMatchObject([
    { kind: 'blocked', title: 'blocked: waits for a new budget', detail: 'turns spent' },
    { kind: 'resumed' },
    { kind: 'blocked', title: 'blocked: waits for the monitor', detail: 'no monitor answers' },
  ]);
  expect(foldTrajectory(events)).toMatchObject({ attempt: 2, escalation: { at: at(2), report: '' } });
});

it.each<[string, Without<HistoryEvent>, string, string]>([
  [
    'failed',
    { type: 'failed', failure: failure('undefined is not a function') },
    'failed',
    'undefined is not a function',
  ],
  ['timed out', { type: 'timed_out' }, 'timed_out', 'timed out'],
  ['terminated', { type: 'terminated', reason: 'wrong one', by: 'ops' }, 'terminated', 'by ops: wrong one'],
  ['canceled', { type: 'canceled' }, 'canceled', 'cancelled before'],
  ['ended without closing', { type: 'completed', result: null }, 'completed', 'the workflow ended'],
])('a run that %s under an open ticket: failed without a resolution, and why', (_name, end, run, detail) => {
  const events = history(started(), attributes({ TicketStatus: 'in_progress', TicketPhase: 'acting' }), end);
  expect(foldTrajectory(events)).toMatchObject({
    run,
    status: 'failed',
    phase: null,
    resolution: null,
    closedAt: at(2),
  });
  expect(last(events)).toMatchObject({
    kind: 'closed',
    ok: false,
    detail: expect.stringContaining(detail) as string,
  });
});

it('proofs: the one that answered and the one that could not be made', () => {
  const events = history(
    started(),
    scheduled('verifyRecovery'),
    { type: 'activity_timed_out', scheduledId: 2, failure: failure('timeout', 'Timeout:schedule_to_start') },
    scheduled('verifyRecovery'),
    completed(4, { recovered: false, successes: 1, failing: [check] }),
    scheduled('verifyRecovery'),
    completed(6, { recovered: true, successes: 3, failing: [] }),
  );
  expect(foldTrajectory(events).verifications).toMatchObject([
    { recovered: null, failure: { type: 'Timeout:schedule_to_start' } },
    { recovered: false, failing: [{ invariantId: 'api_ok' }] },
    { recovered: true, successes: 3, startedAt: at(5), endedAt: at(6) },
  ]);
});

it('signals: evidence and notes once per signature, hints, cancellation and retries by whom', () => {
  const other = { signature: 's1', check: { ...check, invariantId: 'api_fast' } };
  const note = { at: at(30), by: 'ana', text: 'disk?', signature: 'n1' };
  const events = history(
    started(),
    signal('evidence', other),
    signal('evidence', other),
    signal('note', note),
    signal('note', note),
    signal('recovered', { check: { ...check, ok: true } }),
    signal('cancel_reason', { by: 'ana', reason: 'no need', mode: 'dismiss' }),
    signal('retry', { by: 'ben', reason: 'again' }),
    signal('from_elsewhere', { any: 'thing' }),
    signal('note', 'not a note'),
  );
  const trajectory = foldTrajectory(events);
  expect(trajectory.notes).toEqual([{ at: at(30), by: 'ana', text: 'disk?' }]);
  expect(trajectory.evidence.later).toHaveLength(1);
  expect(trajectory.joinedInvariants).toEqual(['api_fast']);
  expect(kinds(events).slice(2)).toEqual([
    'evidence',
    'note',
    'recovered_hint',
    'cancel_requested',
    'retry_requested',
  ]);
});

it('a note by the agent is one of the notes; a refused one is not', () => {
  const call = (id: string) => ({ id, name: 'add_ticket_note', input: { text: `note ${id}` } });
  const result = { ...RESULT, tool: 'add_ticket_note' };
  const events = history(
    started(),
    scheduled('add_ticket_note', { call: call('a') }),
    completed(2, result),
    scheduled('add_ticket_note', { call: call('b') }),
    completed(4, { ...result, isError: true }),
  );
  expect(foldTrajectory(events).notes.map(({ text }) => text)).toEqual(['note a']);
});

it('continued as new: one story, opened once, the open activities of the old run forgotten', () => {
  const events = history(
    started(),
    scheduled('verifyRecovery'),
    { type: 'continued_as_new', newRunId: 'r2' },
    started({ runId: 'r2', continuedFrom: 'r1', searchAttributes: { TicketStatus: 'in_progress' } }),
  );
  const trajectory = foldTrajectory(events);
  expect(trajectory).toMatchObject({
    runId: 'r2',
    openedAt: at(0),
    runStartedAt: at(3),
    status: 'in_progress',
    running: [],
  });
  expect(kinds(events)).toEqual(['detected', 'opened']);
});

it('a workflow that cannot go on is a line of the story, not silence', () => {
  const events = history(started(), { type: 'workflow_task_failed', failure: failure('nondeterminism') });
  expect(last(events)).toMatchObject({ kind: 'workflow_problem', detail: 'nondeterminism', ok: false });
});
