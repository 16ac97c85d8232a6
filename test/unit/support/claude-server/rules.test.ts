import { IssuedReplies } from '../../../support/claude-server/issued-replies';
import * as messages from '../../../support/claude-server/rules/messages';
import type { Rule } from '../../../support/claude-server/rules/rule';
import * as thinking from '../../../support/claude-server/rules/thinking';
import * as toolResults from '../../../support/claude-server/rules/tool-results';
import * as tools from '../../../support/claude-server/rules/tools';
import { RULES } from '../../../support/claude-server/validate';
import { contextOf, requestOf, TOOLS } from './support';

/** What is asked, of which model, and what the rule says to it; null: nothing. */
type Case = readonly [what: string, change: object, refused: RegExp | null, model?: string];

const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const text = (words: string, more: object = {}) => ({ type: 'text', text: words, ...more });
const call = (id: string, name = 'inspect_service') => ({ type: 'tool_use', id, name, input: {} });
const result = (id: string, more: object = {}) => ({
  type: 'tool_result',
  tool_use_id: id,
  content: 'ok',
  ...more,
});
const chat = (...list: object[]) => ({ messages: list });
const document = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } };
const mark = (ttl?: string) => ({
  cache_control: { type: 'ephemeral', ...(ttl === undefined ? {} : { ttl }) },
});

const object = (properties: object, more: object = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...more,
});
const tool = (schema: object, more: object = {}) => ({
  name: 'do',
  input_schema: schema,
  strict: true,
  ...more,
});
const format = (schema: object) => ({ output_config: { format: { type: 'json_schema', schema } } });
const many = (count: number, schema: object) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`p${index}`, schema]));
const FORCED = { tool_choice: { type: 'tool', name: 'inspect_service' } };
const OLD = 'claude-sonnet-4-5';

const TABLE: readonly (readonly [name: string, rule: Rule, cases: readonly Case[]])[] = [
  [
    'maxTokensWithinModel',
    messages.maxTokensWithinModel,
    [
      ['as much as there is', { max_tokens: 128_000 }, null],
      ['zero, to warm the cache', { max_tokens: 0 }, null],
      ['more than there is', { max_tokens: 128_001 }, /128001 > 128000/],
      ['less than nothing', { max_tokens: -1 }, /greater than or equal to 0/],
      ['the limit is the model’s', { max_tokens: 64_001 }, /64001 > 64000/, OLD],
    ],
  ],
  [
    'someMessages',
    messages.someMessages,
    [
      ['one', chat(user('a')), null],
      ['none', chat(), /at least one message/],
      ['too many', chat(...Array<object>(100_001).fill(user('a'))), /at most 100000/],
    ],
  ],
  [
    'firstIsUser',
    messages.firstIsUser,
    [
      ['user', chat(user('a'), assistant('b')), null],
      ['assistant', chat(assistant('b'), user('a')), /first message must use the "user" role/],
    ],
  ],
  [
    'noEmptyContent',
    messages.noEmptyContent,
    [
      ['words', chat(user('a'), assistant([text('b')])), null],
      ['an empty string', chat(user('a'), assistant('')), /messages\.1: .*non-empty content/],
      ['an empty list', chat(user('a'), assistant([]), user('c')), /messages\.1: .*non-empty content/],
    ],
  ],
  [
    'noEmptyText',
    messages.noEmptyText,
    [
      ['words everywhere', { system: [text('s')], ...chat(user([text('a')])) }, null],
      ['an empty result', chat(user([result('t1', { content: '' })])), null],
      ['an empty block', chat(user([text('a'), text('')])), /must be non-empty/],
      ['only white space', chat(user([text(' \n')])), /non-whitespace/],
      ['in the system prompt', { system: [text('')] }, /must be non-empty/],
      ['inside a result', chat(user([result('t1', { content: [text('')] })])), /must be non-empty/],
    ],
  ],
  [
    'lastIsUser',
    messages.lastIsUser,
    [
      ['user', chat(user('a')), null],
      ['assistant', chat(user('a'), assistant('b')), /does not support assistant message prefill/],
      ['assistant, of a model that takes it', chat(user('a'), assistant('b')), null, OLD],
    ],
  ],
  [
    'blocksFitRole',
    messages.blocksFitRole,
    [
      ['each where it belongs', chat(user([document]), assistant([call('t1')]), user([result('t1')])), null],
      [
        'a document of the assistant',
        chat(user('a'), assistant([document])),
        /messages\.1\.content\.0: `document`/,
      ],
      ['a call of the user', chat(user([call('t1')])), /`tool_use` blocks are not allowed in user messages/],
      ['a result of the assistant', chat(user('a'), assistant([result('t1')])), /`tool_result`.*assistant/],
    ],
  ],
  [
    'noCitationsOnUserText',
    messages.noCitationsOnUserText,
    [
      ['none', chat(user([text('a')])), null],
      ['null', chat(user([text('a', { citations: null })])), null],
      ['of the assistant', chat(user('a'), assistant([text('b', { citations: [{}] })])), null],
      ['of the user', chat(user([text('a', { citations: [] })])), /messages\.0\.content\.0\.citations/],
    ],
  ],
  [
    'toolUseIdsUnique',
    toolResults.toolUseIdsUnique,
    [
      ['each its own', chat(user('a'), assistant([call('t1'), call('t2')])), null],
      ['in one turn', chat(user('a'), assistant([call('t1'), call('t1')])), /`tool_use` ids must be unique/],
      [
        'in two turns',
        chat(user('a'), assistant([call('t1')]), user([result('t1')]), assistant([call('t1')])),
        /messages\.3\.content\.0: `tool_use` ids must be unique/,
      ],
    ],
  ],
  [
    'everyToolUseAnswered',
    toolResults.everyToolUseAnswered,
    [
      [
        'both',
        chat(user('a'), assistant([call('t1'), call('t2')]), user([result('t2'), result('t1')])),
        null,
      ],
      [
        'in two messages of one turn',
        chat(user('a'), assistant([call('t1')]), user([result('t1')]), user('b')),
        null,
      ],
      ['one of two', chat(user('a'), assistant([call('t1'), call('t2')]), user([result('t1')])), /after: t2/],
      [
        'too late',
        chat(user('a'), assistant([call('t1')]), user('b'), assistant('c'), user([result('t1')])),
        /messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1/,
      ],
      ['never', chat(user('a'), assistant([call('t1')])), /after: t1/],
    ],
  ],
  [
    'resultsComeFirst',
    toolResults.resultsComeFirst,
    [
      ['then text', chat(user('a'), assistant([call('t1')]), user([result('t1'), text('b')])), null],
      [
        'after text',
        chat(user('a'), assistant([call('t1')]), user([text('b'), result('t1')])),
        /must come before/,
      ],
      [
        'after text in a message before',
        chat(user('a'), assistant([call('t1')]), user('b'), user([result('t1')])),
        /messages\.3\.content\.0: `tool_result` blocks must come before/,
      ],
    ],
  ],
  [
    'everyResultExpected',
    toolResults.everyResultExpected,
    [
      ['asked for', chat(user('a'), assistant([call('t1')]), user([result('t1')])), null],
      ['never asked for', chat(user([result('t1')])), /unexpected `tool_use_id`.*t1/],
      [
        'answered before',
        chat(user('a'), assistant([call('t1')]), user([result('t1')]), assistant('b'), user([result('t1')])),
        /messages\.4\.content\.0: unexpected `tool_use_id`/,
      ],
    ],
  ],
  [
    'oneResultPerToolUse',
    toolResults.oneResultPerToolUse,
    [
      ['one', chat(user('a'), assistant([call('t1')]), user([result('t1')])), null],
      [
        'two',
        chat(user('a'), assistant([call('t1')]), user([result('t1'), result('t1')])),
        /single result.*t1/,
      ],
    ],
  ],
  [
    'toolNamesUnique',
    tools.toolNamesUnique,
    [
      ['each its own', { tools: TOOLS }, null],
      ['twice', { tools: [...TOOLS, TOOLS[0]] }, /Tool names must be unique/],
    ],
  ],
  [
    'strictSchemasClosed',
    tools.strictSchemasClosed,
    [
      ['closed', { tools: [tool(object({ a: object({}) }))] }, null],
      ['open, but not strict', { tools: [tool({ type: 'object' }, { strict: false })] }, null],
      ['open', { tools: [tool({ type: 'object' })] }, /\(do\).*'additionalProperties'.*false/],
      ['open inside', { tools: [tool(object({ a: { type: 'object' } }))] }, /'additionalProperties'/],
      [
        'a bound',
        { tools: [tool(object({ a: { type: 'number', minimum: 0 } }))] },
        /'minimum' is not supported/,
      ],
      ['a long list', { tools: [tool(object({ a: { type: 'array', minItems: 2 } }))] }, /'minItems'/],
    ],
  ],
  [
    'strictSchemasSmall',
    tools.strictSchemasSmall,
    [
      ['20 tools', { tools: Array<object>(20).fill(tool(object({}))) }, null],
      ['21 tools', { tools: Array<object>(21).fill(tool(object({}))) }, /at most 20 strict/],
      ['24 optional', { tools: [tool(object(many(24, {}), { required: [] }))] }, null],
      [
        '25 optional',
        { tools: [tool(object(many(25, {}), { required: [] }))] },
        /optional parameters \(25\)/,
      ],
      [
        '25 optional, one of them in the answer',
        {
          tools: [tool(object(many(24, {}), { required: [] }))],
          ...format(object({ a: {} }, { required: [] })),
        },
        /optional parameters \(25\)/,
      ],
      [
        '25 optional, not strict',
        { tools: [tool(object(many(25, {}), { required: [] }), { strict: false })] },
        null,
      ],
      ['16 unions', { tools: [tool(object(many(16, { type: ['string', 'null'] })))] }, null],
      ['17 unions', { tools: [tool(object(many(17, { anyOf: [] })))] }, /union types \(17\)/],
    ],
  ],
  [
    'toolChoicePossible',
    tools.toolChoicePossible,
    [
      ['auto', { tool_choice: { type: 'auto', disable_parallel_tool_use: true } }, null],
      ['none', { tool_choice: { type: 'none' } }, null],
      ['without tools', { tools: [], tool_choice: { type: 'auto' } }, /while providing tools/],
      ['any', { tool_choice: { type: 'any' } }, /`any` is not supported by claude-opus-5-5/],
      ['one tool', FORCED, /`tool` is not supported by claude-sonnet-5-5/, 'claude-sonnet-5-5'],
      ['one tool, of a model that can be forced', FORCED, null, OLD],
      ['a tool that is not there', { tool_choice: { type: 'tool', name: 'fly' } }, /'fly' not found/, OLD],
    ],
  ],
  [
    'toolsDeclaredForHistory',
    tools.toolsDeclaredForHistory,
    [
      ['no calls', { tools: [], ...chat(user('a')) }, null],
      ['calls', chat(user('a'), assistant([call('t1')])), null],
      ['calls, but no tools', { tools: [], ...chat(user('a'), assistant([call('t1')])) }, /tools: required/],
    ],
  ],
  [
    'outputSchemaClosed',
    tools.outputSchemaClosed,
    [
      ['closed', format(object({ a: { type: 'string' } })), null],
      ['open', format({ type: 'object' }), /output_config\.format\.schema: .*'additionalProperties'/],
      [
        'recursive',
        format({ $ref: '#/$defs/a', $defs: { a: object({ child: { $ref: '#/$defs/a' } }) } }),
        /recursive/,
      ],
    ],
  ],
  [
    'noFormatWithCitations',
    tools.noFormatWithCitations,
    [
      ['no citations', { ...format(object({})), ...chat(user([document])) }, null],
      ['no format', chat(user([{ ...document, citations: { enabled: true } }])), null],
      [
        'both',
        { ...format(object({})), ...chat(user([{ ...document, citations: { enabled: true } }])) },
        /incompatible with citations/,
      ],
    ],
  ],
  [
    'breakpointsFew',
    tools.breakpointsFew,
    [
      [
        'four',
        { system: [text('s', mark())], ...chat(user([text('a', mark()), text('b', mark())])), ...mark() },
        null,
      ],
      [
        'five',
        { ...chat(user(['a', 'b', 'c', 'd'].map((word) => text(word, mark())))), ...mark() },
        /Found 5/,
      ],
      ['long before short', { system: [text('s', mark('1h'))], ...mark('5m') }, null],
      ['short before long', { system: [text('s', mark())], ...mark('1h') }, /ttl='1h'/],
    ],
  ],
  [
    'thinkingConfigPossible',
    thinking.thinkingConfigPossible,
    [
      ['adaptive', { thinking: { type: 'adaptive' } }, null],
      ['left out', { thinking: undefined }, null],
      ['disabled', { thinking: { type: 'disabled' } }, /`disabled` is not supported.*use `adaptive`/],
      ['enabled', { thinking: { type: 'enabled', budget_tokens: 2_000 } }, /`enabled` is not supported/],
      ['disabled', { thinking: { type: 'disabled' } }, /or `between_tools`/, 'claude-sonnet-5-5'],
      ['between tools', { thinking: { type: 'between_tools' } }, null, 'claude-sonnet-5-5'],
      [
        'between tools with much effort',
        { thinking: { type: 'between_tools' }, output_config: { effort: 'max' } },
        /cannot be combined with effort `max`/,
        'claude-sonnet-5-5',
      ],
      ['a budget', { thinking: { type: 'enabled', budget_tokens: 1_024 } }, null, OLD],
      ['a small budget', { thinking: { type: 'enabled', budget_tokens: 1_023 } }, /equal to 1024/, OLD],
      [
        'a budget that takes all',
        { thinking: { type: 'enabled', budget_tokens: 4_000 } },
        /must be greater/,
        OLD,
      ],
      ['adaptive of an old model', { thinking: { type: 'adaptive' } }, /`adaptive` is not supported/, OLD],
    ],
  ],
  [
    'noForcedToolWhileThinking',
    thinking.noForcedToolWhileThinking,
    [
      ['not forced', { thinking: { type: 'enabled', budget_tokens: 2_000 } }, null, OLD],
      ['not thinking', { ...FORCED, thinking: { type: 'disabled' } }, null, OLD],
      ['both', { ...FORCED, thinking: { type: 'enabled', budget_tokens: 2_000 } }, /may not be enabled/, OLD],
    ],
  ],
  [
    'thinkingUnchanged',
    thinking.thinkingUnchanged,
    [
      ['no thinking', chat(user('a'), assistant('b')), null],
      [
        'made up',
        chat(user('a'), assistant([{ type: 'thinking', thinking: 'x', signature: 'y' }])),
        /messages\.1\.content\.0: Invalid `signature`/,
      ],
    ],
  ],
];

describe.each(TABLE)('%s', (_name, rule, cases) => {
  test.each(cases.map(([what, change, refused, model]) => ({ what, change, refused, model })))(
    '$what: $refused',
    ({ change, refused, model }) => {
      const refusal = rule(requestOf(change), contextOf(model));
      if (refused === null) return expect(refusal).toBeNull();
      expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
      expect(refusal?.message).toMatch(refused);
    },
  );
});

test('every rule is asked, and every one has its cases', () => {
  const all = [messages, toolResults, tools, thinking].flatMap((module) => Object.values(module));
  expect(new Set(RULES)).toEqual(new Set(all));
  const inTable = TABLE.map(([, rule]) => rule);
  expect(all.filter((rule) => !inTable.includes(rule))).toEqual([thinking.thinkingComplete]);
});

test('thinkingComplete: a reply that was given with a thought must bring it back, any other need not', () => {
  const issued = new IssuedReplies();
  issued.remember([
    { type: 'thinking', thinking: '', signature: 's' },
    { type: 'tool_use', id: 't1', name: 'inspect_service', input: {} },
  ]);
  const ask = (id: string) =>
    thinking.thinkingComplete(
      requestOf(chat(user('a'), assistant([call(id)]))),
      contextOf(undefined, issued),
    );
  expect(ask('t2')).toBeNull();
  expect(ask('t1')?.message).toMatch(/Expected `thinking`/);
});
