import type { ModelBlock, ModelMessage } from '../../../src/domain/model-answer';
import { readAnswer } from '../../../src/domain/model-answer';

const use = (id: string, name: string, input: unknown = {}): ModelBlock => ({
  type: 'tool_use',
  id,
  name,
  input,
});
const THINKING: ModelBlock = { type: 'thinking', thinking: 'hm' };
const TEXT: ModelBlock = { type: 'text', text: 'I look.' };
const read = (stop_reason: string | null, content: readonly ModelBlock[], more: Partial<ModelMessage> = {}) =>
  readAnswer({ stop_reason, content, ...more });

describe('readAnswer', () => {
  it.each<[string | null, readonly ModelBlock[], object]>([
    [
      'tool_use',
      [THINKING, TEXT, use('t1', 'read_file')],
      { kind: 'calls', text: 'I look.', thinking: 'hm' },
    ],
    ['tool_use', [TEXT], { kind: 'unknown', stopReason: 'tool_use' }],
    ['tool_use', [{ type: 'tool_use', name: 'read_file', input: {} }], { kind: 'unknown' }],
    ['end_turn', [THINKING, TEXT], { kind: 'finished', text: 'I look.', thinking: 'hm' }],
    ['end_turn', [], { kind: 'finished', text: '' }],
    ['end_turn', [use('t1', 'read_file')], { kind: 'unknown', stopReason: 'end_turn' }],
    ['stop_sequence', [TEXT], { kind: 'finished' }],
    ['max_tokens', [TEXT, use('t1', 'service_control')], { kind: 'truncated', why: 'max_tokens' }],
    ['model_context_window_exceeded', [TEXT], { kind: 'truncated', why: 'context_window' }],
    ['refusal', [TEXT], { kind: 'refused', category: null, explanation: '' }],
    ['pause_turn', [TEXT], { kind: 'unknown', stopReason: 'pause_turn' }],
    ['compaction', [TEXT], { kind: 'unknown', stopReason: 'compaction' }],
    [null, [TEXT], { kind: 'unknown', stopReason: null }],
  ])('%s with %j', (reason, content, expected) => {
    expect(read(reason, content)).toMatchObject(expected);
  });

  it('a truncated answer names no call to run', () => {
    expect(read('max_tokens', [use('t1', 'service_control')])).not.toHaveProperty('calls');
  });

  it('a refusal tells its category', () => {
    const stop_details = { category: 'cyber', explanation: 'because' };
    expect(read('refusal', [], { stop_details })).toEqual({
      kind: 'refused',
      category: 'cyber',
      explanation: 'because',
    });
  });

  it.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['reads run together', ['read_file', 'query_logs', 'run_command'], ['t0', 't1', 't2'], []],
    ['a single action runs', ['service_control'], ['t0'], []],
    [
      'with an action among them only the first runs',
      ['read_file', 'service_control', 'read_file'],
      ['t0'],
      ['t1', 't2'],
    ],
    ['an action first', ['edit_file', 'service_control'], ['t0'], ['t1']],
    ['a ticket tool is no read', ['read_file', 'update_ticket_status'], ['t0'], ['t1']],
    ['an unknown tool is no read', ['read_file', 'rm_rf'], ['t0'], ['t1']],
  ])('%s', (_name, tools, running, waiting) => {
    const answer = read('tool_use', [THINKING, ...tools.map((tool, index) => use(`t${index}`, tool))]);
    if (answer.kind !== 'calls') throw new Error(`it is ${answer.kind}`);
    expect(answer.calls.map(({ id }) => id)).toEqual(running);
    expect(answer.unrun.map(({ id }) => id)).toEqual(waiting);
    for (const { reason } of answer.unrun) expect(reason).toMatch(/^not executed because /);
  });

  it.each([['{"a":'], [null], [[1]], [7]])('input %j is no object: not run, and answered', (input) => {
    const answer = read('tool_use', [
      use('bad', 'service_control', input),
      use('good', 'read_file', { path: 'a' }),
    ]);
    expect(answer).toMatchObject({
      kind: 'calls',
      calls: [{ id: 'good', name: 'read_file', input: { path: 'a' } }],
      unrun: [{ id: 'bad', reason: 'not executed because its input is not a JSON object' }],
    });
  });

  it('leaves the content as it came', () => {
    const content = [{ ...THINKING, signature: 's' }, use('t1', 'read_file', { b: 1, a: 2 })];
    const before = JSON.stringify(content);
    read('tool_use', content);
    expect(JSON.stringify(content)).toBe(before);
  });
});

it('what one reply asks for is bounded: the same read runs once, and no more than eight at a time', () => {
  const same = Array.from({ length: 400 }, (_, index) => use(`s${index}`, 'query_logs', { limit: 5 }));
  const other = Array.from({ length: 20 }, (_, index) => use(`o${index}`, 'query_logs', { limit: index }));
  const answer = read('tool_use', [...same, ...other]);
  if (answer.kind !== 'calls') throw new Error(answer.kind);
  expect(answer.calls.map(({ id }) => id)).toEqual(['s0', 'o0', 'o1', 'o2', 'o3', 'o4', 'o6', 'o7']);
  expect(answer.calls.length + answer.unrun.length).toBe(420);
  expect(answer.unrun[0]?.reason).toContain('only 8 reads run at once');
});
