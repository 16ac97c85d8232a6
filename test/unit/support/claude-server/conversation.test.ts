import type { MessageParam } from '@anthropic-ai/sdk/resources/messages';
import type { ScriptedTurn } from '../../../support/claude-server/script';
import { STAND_IN_LABEL } from '../../../support/claude-server/script';
import type { Params } from './support';
import { apiErrorOf, ask, carryOn, clientOf, closeServers, inspect, PARAMS, serve, TOOLS } from './support';

afterEach(closeServers);

const SIX_TURNS: readonly ScriptedTurn[] = [
  { thinking: 'Look first.', text: 'I look.', calls: [inspect()] },
  { thinking: 'Look again.', calls: [inspect()] },
  { text: 'No thought this time.', calls: [inspect()] },
  { thinking: 'Both.', calls: [inspect(), inspect('other')] },
  {
    thinking: 'Ask for the proof.',
    calls: [{ name: 'update_ticket_status', input: { status: 'completed' } }],
  },
  { thinking: 'It holds.', text: 'Done.' },
];

/** Every turn as it was answered, with the history that led to it. */
async function converse(client: ReturnType<typeof clientOf>, params: Params, turns: number) {
  let messages: MessageParam[] = [...params.messages];
  const replies = [];
  for (let turn = 0; turn < turns; turn += 1) {
    const reply = await ask(client, { ...params, messages });
    replies.push(reply);
    // As it would come back out of a stored payload.
    messages = carryOn(messages, JSON.parse(JSON.stringify(reply)) as typeof reply);
  }
  return { replies, messages };
}

test('a conversation of six turns, sent back unchanged, is accepted', async () => {
  const server = await serve({ script: SIX_TURNS });
  const { replies } = await converse(clientOf(server), PARAMS, 6);
  expect(replies.map(({ stop_reason: reason }) => reason)).toEqual([
    ...Array<string>(5).fill('tool_use'),
    'end_turn',
  ]);
  expect(replies[3]?.content.map(({ type }) => type)).toEqual(['thinking', 'tool_use', 'tool_use']);
  expect(server.problems).toEqual([]);
  expect(server.messageRequests).toHaveLength(6);
  expect(server.requests.map(({ status }) => status)).toEqual(Array(6).fill(200));
});

test('thinking is omitted by default and comes back accepted without its text', async () => {
  const server = await serve({ script: SIX_TURNS });
  const { replies } = await converse(clientOf(server), { ...PARAMS, thinking: { type: 'adaptive' } }, 6);
  expect(replies[0]?.content[0]).toMatchObject({ type: 'thinking', thinking: '' });
  expect(replies[0]?.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(0);
});

test('the streamed message is the same as the one that is not streamed', async () => {
  const script: readonly ScriptedTurn[] = [
    { thinking: 'Hm.', text: 'I look at it: “demo”.', calls: [inspect('a service with a rather long name')] },
  ];
  const [first, second] = await Promise.all([serve({ script }), serve({ script })]);
  const streamed = await ask(clientOf(first), PARAMS);
  const whole = await clientOf(second).messages.create(PARAMS);
  const comparable = (message: typeof whole) => ({
    ...message,
    id: '',
    parsed_output: null,
    content: message.content.map((block) => (block.type === 'tool_use' ? { ...block, id: '' } : block)),
  });
  expect(comparable(streamed)).toEqual(comparable(whole));
  expect(whole.content.find(({ type }) => type === 'tool_use')).toMatchObject({
    input: { service: 'a service with a rather long name' },
    caller: { type: 'direct' },
  });
});

test('every reply says that it is not Claude, and keeps the model that was asked for', async () => {
  const server = await serve({ script: SIX_TURNS });
  const { data, response } = await clientOf(server).messages.stream(PARAMS).withResponse();
  const message = await data.finalMessage();
  expect(response.headers.get('x-stand-in')).toBe(STAND_IN_LABEL);
  expect(response.headers.get('request-id')).toMatch(/^req_/);
  expect(message.model).toBe(PARAMS.model);
  const [thinking, text] = message.content;
  expect(thinking).toMatchObject({ thinking: `[${STAND_IN_LABEL}] Look first.` });
  expect(text).toMatchObject({ text: `[${STAND_IN_LABEL}] I look.` });
});

test('a request that is made again gets the same turn again', async () => {
  const server = await serve({ script: SIX_TURNS });
  const client = clientOf(server);
  const first = await ask(client, PARAMS);
  await ask(client, PARAMS);
  const messages = carryOn(PARAMS.messages, first);
  const next = await ask(client, { ...PARAMS, messages });
  expect(next.content[0]).toMatchObject({ thinking: expect.stringContaining('Look again.') });
});

describe('the cache', () => {
  const cached = {
    ...PARAMS,
    system: 'You repair services. '.repeat(200),
    cache_control: { type: 'ephemeral' as const },
  };

  test('from turn two on the prefix is read from it, and only what is new is written', async () => {
    const server = await serve({ script: SIX_TURNS });
    const { replies } = await converse(clientOf(server), cached, 6);
    const usages = replies.map(({ usage }) => usage);
    expect(usages[0]).toMatchObject({ cache_read_input_tokens: 0, input_tokens: 0 });
    for (const [index, usage] of usages.entries()) {
      const before = usages[index - 1];
      if (!before) continue;
      const known = Number(before.cache_read_input_tokens) + Number(before.cache_creation_input_tokens);
      expect(usage.cache_read_input_tokens).toBe(known);
      expect(usage.cache_creation_input_tokens).toBeGreaterThan(0);
      expect(usage.cache_creation?.ephemeral_5m_input_tokens).toBe(usage.cache_creation_input_tokens);
    }
  });

  test.each([
    ['another system prompt', { ...cached, system: 'You break services. '.repeat(200) }],
    ['another order of tools', { ...cached, tools: [...TOOLS].reverse() }],
    ['another model', { ...cached, model: 'claude-sonnet-5-5' }],
    ['no breakpoint', { ...cached, cache_control: null }],
  ])('%s: nothing is read', async (_what, changed) => {
    const server = await serve({ script: SIX_TURNS });
    const client = clientOf(server);
    await ask(client, cached);
    const { usage } = await ask(client, changed);
    expect(usage.cache_read_input_tokens).toBe(0);
    expect((await ask(client, cached)).usage.cache_read_input_tokens).toBeGreaterThan(0);
  });

  test('what was written for five minutes is gone after them, for an hour it is not', async () => {
    let now = 0;
    const server = await serve({ script: SIX_TURNS, now: () => now });
    const client = clientOf(server);
    const long = {
      ...cached,
      model: 'claude-haiku-5-5',
      cache_control: { type: 'ephemeral' as const, ttl: '1h' as const },
    };
    await ask(client, cached);
    const written = await ask(client, long);
    now = 301_000;
    expect((await ask(client, cached)).usage.cache_read_input_tokens).toBe(0);
    const read = await ask(client, long);
    expect(read.usage.cache_read_input_tokens).toBe(written.usage.cache_creation?.ephemeral_1h_input_tokens);
  });

  test('a prefix that is too short is not kept', async () => {
    const server = await serve({ script: SIX_TURNS });
    const short = { ...PARAMS, cache_control: { type: 'ephemeral' as const } };
    const { usage } = await ask(clientOf(server), short);
    expect(usage.cache_creation_input_tokens).toBe(0);
    expect(usage.input_tokens).toBeGreaterThan(0);
  });
});

test('max_tokens in the request cuts the reply there', async () => {
  const server = await serve({ script: [{ text: 'word '.repeat(400) }], textPrefix: '' });
  const message = await ask(clientOf(server), { ...PARAMS, max_tokens: 10 });
  expect(message.stop_reason).toBe('max_tokens');
  expect(message.usage.output_tokens).toBe(10);
});

test('count_tokens asks the same rules and counts the whole prompt', async () => {
  const server = await serve({ script: SIX_TURNS });
  const client = clientOf(server);
  const { model, system, tools, messages } = PARAMS;
  const { input_tokens: counted } = await client.messages.countTokens({ model, system, tools, messages });
  expect(counted).toBe((await ask(client, { ...PARAMS })).usage.input_tokens);
  const refused = apiErrorOf(
    client.messages.countTokens({ model, system, tools, messages, tool_choice: { type: 'any' } }),
  );
  expect((await refused).status).toBe(400);
});

test('the models say what they can', async () => {
  const client = clientOf(await serve());
  const model = await client.models.retrieve('claude-opus-5-5');
  expect(model).toMatchObject({
    max_tokens: 128_000,
    capabilities: { thinking: { types: { disabled: { supported: false } } } },
  });
  expect(model.display_name).toContain(STAND_IN_LABEL);
  const ids = (await client.models.list()).data.map(({ id }) => id);
  expect(ids).toContain('claude-sonnet-5-5');
  expect((await apiErrorOf(client.models.retrieve('claude-nothing'))).status).toBe(404);
});

test('a script that runs out is loud: a 500 that says so, and a problem', async () => {
  const server = await serve({ script: SIX_TURNS.slice(0, 1) });
  const error = await apiErrorOf(converse(clientOf(server), PARAMS, 2));
  expect(error.status).toBe(500);
  expect(error.message).toContain('the script has run out');
  expect(error.headers?.get('x-should-retry')).toBe('false');
  expect(server.problems).toEqual([expect.stringContaining('turn 2 was asked for')]);
});

test.each<[string, ScriptedTurn, object, string]>([
  [
    'a call of a tool that the request does not have',
    { calls: [{ name: 'fly', input: {} }] },
    {},
    'no tool fly',
  ],
  [
    'input that a strict tool would not get',
    { calls: [{ name: 'inspect_service', input: { servis: 1 } }] },
    {},
    'is strict',
  ],
  [
    'two calls where one is allowed',
    { calls: [inspect(), inspect()] },
    { tool_choice: { type: 'auto', disable_parallel_tool_use: true } },
    'parallel calls are disabled',
  ],
  ['a stop reason that is not true', { text: 'Hm.', stopReason: 'tool_use' }, {}, 'does not go with'],
  ['JSON that nobody asked for', { json: {} }, {}, 'needs output_config.format'],
])('%s: a problem of the script, not an answer', async (_what, turn, change, message) => {
  const server = await serve({ script: [turn] });
  const error = await apiErrorOf(ask(clientOf(server), { ...PARAMS, ...change }));
  expect(error.status).toBe(500);
  expect(server.problems).toEqual([expect.stringContaining(message)]);
});
