import { Transcripts } from '../../../../src/activities/claude/transcripts';
import type { HistoryEvent } from '../../../../src/domain/history-event';
import type { Json } from '../../../../src/domain/json';
import type { ToolResult } from '../../../../src/domain/tool';
import { foldTranscript } from '../../../../src/domain/transcript';
import type { ProposeInput } from '../../../../src/workflows/agent-contract';

const AT = '2026-01-01T00:00:00.000Z';
const TICKET = { ticketId: 'T1', invariantId: 'api_ok', service: 'api', detectedAt: AT };
const spec = { id: 'T1', invariantId: 'api_ok', service: 'api', objective: 'Bring api back' };
const VERSION = 'v1';

const result = (id: string): ToolResult => ({
  callId: id,
  tool: 'read_file',
  isError: false,
  content: `content of ${id}`,
  data: null,
});
const ask = (turn: number, results: readonly ToolResult[] = []): ProposeInput => ({
  ticket: TICKET,
  brain: 'claude',
  attempt: 1,
  begunBy: 'opened',
  turn,
  results,
  notes: [],
  memory: null,
});
const reply = (id: string, opening: string | null) => ({
  version: VERSION,
  opening,
  content: [{ type: 'tool_use', id, name: 'read_file', input: {} }],
});

function run(runId: string, continuedFrom: string | null, ...turns: [ProposeInput, Json][]): HistoryEvent[] {
  const started: HistoryEvent = {
    id: 1,
    at: AT,
    type: 'started',
    workflowId: 'api_ok',
    runId,
    workflowType: 'RemediateTicket',
    input: [{ ticket: spec }],
    continuedFrom,
    searchAttributes: {},
    memo: {},
  };
  const asked = turns.flatMap(([input, model], index): HistoryEvent[] => {
    const id = 10 * (index + 1);
    const payload = JSON.parse(JSON.stringify(input)) as Json;
    const proposal: Json = { brain: 'claude', text: 'I look.', calls: [], memory: null, model };
    return [
      {
        id,
        at: AT,
        type: 'activity_scheduled',
        activity: 'proposeStep',
        queue: 'q',
        input: [payload],
        summary: null,
      },
      { id: id + 2, at: AT, type: 'activity_completed', scheduledId: id, result: proposal },
    ];
  });
  return [started, ...asked];
}

const FIRST_RUN = [
  ...run(
    'r1',
    null,
    [ask(1), reply('toolu_1', 'the opening')],
    [ask(2, [result('toolu_1')]), reply('toolu_2', null)],
  ),
  { id: 99, at: AT, type: 'continued_as_new', newRunId: 'r2' } as const,
];

it('another run of the ticket: its first turn opens a transcript anew, with the last results, also where the old one is kept', async () => {
  const transcripts = new Transcripts();
  const deps = (runId: string, events: readonly HistoryEvent[]) => ({
    runId,
    readHistory: () => Promise.resolve(events),
    redact: (text: string) => text,
  });
  await transcripts.next(ask(1), VERSION, deps('r1', run('r1', null)));
  transcripts.keep('r1', ask(1), reply('toolu_1', 'the opening'));
  transcripts.keep('r1', ask(2, [result('toolu_1')]), reply('toolu_2', null));

  const history = [...FIRST_RUN, ...run('r2', 'r1')];
  const third = ask(3, [result('toolu_2')]);
  const next = await transcripts.next(third, VERSION, deps('r2', history));
  expect(next.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: next.opening }] }]);
  expect(next.opening).toContain('content of toolu_2');
  expect(next.opening).toContain('I look.');

  transcripts.keep('r2', third, reply('toolu_3', next.opening));
  const fourth = ask(4, [result('toolu_3')]);
  const kept = await transcripts.next(fourth, VERSION, deps('r2', history));
  const rebuilt = await new Transcripts().next(
    fourth,
    VERSION,
    deps('r2', [...FIRST_RUN, ...run('r2', 'r1', [third, reply('toolu_3', next.opening)])]),
  );
  expect(kept).toEqual(rebuilt);
  expect(kept.opening).toBeNull();
  expect(JSON.stringify(kept.messages)).not.toContain('"tool_use_id":"toolu_1"');
});

it('the fold of a run that continues another holds nothing of the transcript before', () => {
  expect(foldTranscript(FIRST_RUN, 1)).toMatchObject({ turn: 2 });
  expect(foldTranscript([...FIRST_RUN, ...run('r2', 'r1')], 1)).toBeNull();
});
