import type { HistoryEvent } from '../../../src/domain/history-event';
import type { Json } from '../../../src/domain/json';
import type { ToolResult } from '../../../src/domain/tool';
import type { Transcript } from '../../../src/domain/transcript';
import {
  extendTranscript,
  foldTranscript,
  openCalls,
  openingTurn,
  userTurn,
} from '../../../src/domain/transcript';

type Without<T> = T extends HistoryEvent ? Omit<T, 'id' | 'at'> : never;

const history = (...events: Without<HistoryEvent>[]): HistoryEvent[] =>
  events.map((event, index) => ({ id: index + 1, at: '2026-01-01T00:00:00.000Z', ...event }));

const STARTED: Without<HistoryEvent> = {
  type: 'started',
  workflowId: 'api_ok',
  runId: 'r1',
  workflowType: 'RemediateTicket',
  input: [],
  continuedFrom: null,
  searchAttributes: {},
  memo: {},
};
const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Json;

const result = (callId: string, content = `of ${callId}`): ToolResult => ({
  callId,
  tool: 'read_file',
  isError: false,
  content,
  data: { big: 'data stays out of it' },
});
const asked = (turn: number, over: object = {}): Without<HistoryEvent> => ({
  type: 'activity_scheduled',
  activity: 'proposeStep',
  queue: 'q',
  input: [plain({ brain: 'claude', attempt: 1, turn, results: [], notes: [], memory: null, ...over })],
  summary: null,
});
const replied = (
  scheduledId: number,
  content: readonly Json[],
  { opening = null, version = 'v1' }: { opening?: string | null; version?: string } = {},
): Without<HistoryEvent> => ({
  type: 'activity_completed',
  scheduledId,
  result: { brain: 'claude', text: '', calls: [], memory: null, model: { version, opening, content } },
});
const use = (id: string): Json => ({
  type: 'tool_use',
  id,
  name: 'read_file',
  input: { z: 1, a: '\u2028é' },
});
/** A block of a kind that nobody knows yet, keys out of order, with a signature that must survive. */
const THINKING: Json = {
  type: 'thinking',
  thinking: '',
  signature: 'A/+=\u0000',
  extra: { b: [null, 1.5], a: {} },
};

const TWO_TURNS = [
  STARTED,
  asked(1),
  replied(2, [THINKING, use('c1'), use('c2')], { opening: 'the ticket' }),
  asked(2, { results: [result('c1'), { ...result('c2', ''), isError: true }], notes: ['ana notes: disk?'] }),
  replied(4, [{ type: 'text', text: 'done' }]),
];

describe('foldTranscript', () => {
  it('the opening, replies as they came, one result per call, news in the last of them', () => {
    const transcript = foldTranscript(history(...TWO_TURNS), 1);
    expect(transcript).toMatchObject({ version: 'v1', turn: 2 });
    expect(transcript?.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'the ticket' }] },
      { role: 'assistant', content: [THINKING, use('c1'), use('c2')] },
      {
        role: 'user',
        content: [
          {
            type: 'tool_result',
            tool_use_id: 'c1',
            content: [{ type: 'text', text: 'of c1' }],
            is_error: false,
          },
          {
            type: 'tool_result',
            tool_use_id: 'c2',
            content: [
              { type: 'text', text: '(no output)' },
              { type: 'text', text: 'News:\nana notes: disk?' },
            ],
            is_error: true,
          },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'done' }] },
    ]);
  });

  it('byte for byte what the process that sent it had, whichever events came between', () => {
    const first = extendTranscript(
      null,
      { turn: 1, results: [], notes: [] },
      {
        version: 'v1',
        opening: 'the ticket',
        content: [THINKING, use('c1'), use('c2')],
      },
    );
    const second = extendTranscript(
      first,
      {
        turn: 2,
        results: [result('c1'), { ...result('c2', ''), isError: true }],
        notes: ['ana notes: disk?'],
      },
      { version: 'v1', opening: null, content: [{ type: 'text', text: 'done' }] },
    );
    const folded = foldTranscript(history(...TWO_TURNS), 1);
    expect(JSON.stringify(folded)).toBe(JSON.stringify(second));
    const noisy = history(...TWO_TURNS, { type: 'other', name: 'TimerFired' }, asked(3));
    expect(JSON.stringify(foldTranscript(noisy, 1))).toBe(JSON.stringify(second));
  });

  it('an opening begins anew: nothing of what was before is in it', () => {
    const transcript = foldTranscript(
      history(
        ...TWO_TURNS,
        asked(3, { results: [result('c1')] }),
        replied(6, [use('c9')], { opening: 'the story so far', version: 'v2' }),
      ),
      1,
    );
    expect(transcript).toEqual({
      version: 'v2',
      turn: 3,
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'the story so far' }] },
        { role: 'assistant', content: [use('c9')] },
      ],
    });
  });

  it('each attempt has its own, and turns of another brain are in none', () => {
    const events = history(
      ...TWO_TURNS,
      asked(3, { brain: 'runbook', results: [result('c1')] }),
      replied(6, [use('runbook')]),
      asked(1, { attempt: 2 }),
      replied(8, [use('c5')], { opening: 'the second attempt' }),
    );
    expect(foldTranscript(events, 1)).toEqual(foldTranscript(history(...TWO_TURNS), 1));
    expect(foldTranscript(events, 2)).toMatchObject({ turn: 1, messages: [{ role: 'user' }, {}] });
    expect(JSON.stringify(foldTranscript(events, 2))).not.toMatch(/c1|the ticket/);
    expect(foldTranscript(events, 3)).toBeNull();
  });

  it.each<[string, Without<HistoryEvent>[]]>([
    ['no events', []],
    ['no reply yet', [STARTED, asked(1)]],
    [
      'a reply that is no record',
      [STARTED, asked(1), { type: 'activity_completed', scheduledId: 2, result: 'x' }],
    ],
    ['a question that cannot be read', [STARTED, { ...asked(1), input: ['x'] } as Without<HistoryEvent>]],
    [
      'a hand-over without a model',
      [STARTED, asked(1), { type: 'activity_completed', scheduledId: 2, result: { handOver: 'no budget' } }],
    ],
    ['a reply that begins nothing', [STARTED, asked(1), replied(2, [use('c1')])]],
  ])('%s: none', (_name, events) => {
    expect(foldTranscript(history(...events), 1)).toBeNull();
  });

  it('a reply in between that cannot be read: none, because its calls would be answered without having been made', () => {
    const events = history(
      ...TWO_TURNS.slice(0, 3),
      asked(2, { results: [result('c1'), result('c2')] }),
      { type: 'activity_completed', scheduledId: 4, result: { $payload: 'binary/encrypted' } },
      asked(3, { results: [result('c3')] }),
      replied(6, [use('c4')]),
    );
    expect(foldTranscript(events, 1)).toBeNull();
  });

  it('a result that cannot be read: none, because its call would have no answer', () => {
    const events = history(
      ...TWO_TURNS.slice(0, 3),
      asked(2, { results: [result('c1'), { callId: 'c2' }] }),
      replied(4, [use('c3')]),
    );
    expect(foldTranscript(events, 1)).toBeNull();
  });

  it('a run that continues another begins a transcript of its own', () => {
    const events = history(
      ...TWO_TURNS.slice(0, 3),
      { type: 'continued_as_new', newRunId: 'r2' },
      { ...STARTED, continuedFrom: 'r1' },
      asked(2, { results: [result('c1'), result('c2')] }),
      replied(6, [use('c3')]),
    );
    expect(foldTranscript(events, 1)).toBeNull();
  });
});

it('a turn without results or news still has words in it', () => {
  expect(userTurn([], [])).toEqual({ role: 'user', content: [{ type: 'text', text: 'Go on.' }] });
  expect(userTurn([], ['a', 'b'])).toEqual({
    role: 'user',
    content: [{ type: 'text', text: 'News:\na\nb' }],
  });
});

it('open calls are those of the last reply', () => {
  const of = (...content: Json[]): Transcript => ({
    version: 'v',
    turn: 1,
    messages: [openingTurn('x'), { role: 'assistant', content }],
  });
  expect(openCalls(of(THINKING, use('c1'), { type: 'tool_use', id: 7 }, use('c2')))).toEqual(['c1', 'c2']);
  expect(openCalls({ ...of(), messages: [] })).toEqual([]);
});
