import { jsonSchemaOutputFormat } from '@anthropic-ai/sdk/helpers/json-schema';
import { FAULTS } from '../../../support/claude-server/faults';
import { mismatch } from '../../../support/claude-server/json-schema';
import { STAND_IN_LABEL } from '../../../support/claude-server/script';
import type { Params } from './support';
import { apiErrorOf, ask, clientOf, closeServers, serve } from './support';

afterEach(closeServers);

const SCHEMA = {
  type: 'object',
  properties: {
    create_ticket: { type: 'boolean' },
    reason: { type: 'string' },
    confidence: { type: 'number' },
    severity: { type: 'string', enum: ['high', 'low'] },
    evidence: { type: 'array', items: { type: 'string' } },
    relapse_of: { anyOf: [{ type: 'string' }, { type: 'null' }] },
    causes: { type: 'array', items: { $ref: '#/$defs/cause' } },
  },
  required: ['create_ticket', 'reason', 'confidence', 'severity', 'evidence', 'relapse_of', 'causes'],
  additionalProperties: false,
  $defs: {
    cause: {
      type: 'object',
      properties: { text: { type: 'string' }, count: { type: 'integer' } },
      required: ['text', 'count'],
      additionalProperties: false,
    },
  },
} as const;

const REQUEST: Params = {
  model: 'claude-sonnet-5-5',
  max_tokens: 2_000,
  messages: [{ role: 'user', content: '[E1] check failed\n[E2] limiter was ended by SIGKILL' }],
  output_config: { effort: 'low', format: { type: 'json_schema', schema: SCHEMA } },
};

async function verdictOf(params: Params, server: Awaited<ReturnType<typeof serve>>): Promise<unknown> {
  const message = await ask(clientOf(server), params);
  expect(message.stop_reason).toBe('end_turn');
  const text = message.content.find((block) => block.type === 'text')?.text ?? '';
  return JSON.parse(text);
}

test('by default: a verdict that fits its schema, names its evidence and says who gave it', async () => {
  const verdict = await verdictOf(REQUEST, await serve());
  expect(mismatch(verdict, SCHEMA)).toBeNull();
  expect(verdict).toMatchObject({
    create_ticket: true,
    confidence: 0.8,
    severity: 'high',
    evidence: ['E1', 'E2'],
  });
  expect(verdict).toHaveProperty('reason', expect.stringContaining(STAND_IN_LABEL));
  expect(verdict).toHaveProperty('reason', expect.stringContaining('[E1] [E2]'));
});

test('a schema that the client has rewritten is accepted', async () => {
  const schema = { ...SCHEMA.properties.confidence, minimum: 0, maximum: 1 } as const;
  const format = jsonSchemaOutputFormat({
    type: 'object',
    properties: { confidence: schema },
    required: ['confidence'],
    additionalProperties: false,
  });
  const { parsed_output: verdict } = await clientOf(await serve()).messages.parse({
    ...REQUEST,
    output_config: { format },
  });
  expect(verdict).toEqual({ confidence: 0.8 });
});

test('a script has the word when there is one', async () => {
  const answer = {
    create_ticket: false,
    reason: 'It came back.',
    confidence: 0.4,
    severity: 'low',
    evidence: [],
    relapse_of: null,
    causes: [],
  };
  const server = await serve({ verdict: () => ({ json: answer }) });
  expect(await verdictOf(REQUEST, server)).toEqual(answer);
});

test.each([
  ['a field is missing', { create_ticket: true }, 'answer.reason is missing'],
  ['it has no answer', undefined, 'the turn has no json'],
])('a scripted verdict, but %s: a problem of the script', async (_what, json, problem) => {
  const server = await serve({ verdict: [json ? { json } : { text: 'Hm.' }] });
  expect((await apiErrorOf(ask(clientOf(server), REQUEST))).status).toBe(500);
  expect(server.problems).toEqual([expect.stringContaining(problem)]);
});

test('the agent’s script is not asked for a verdict, nor the other way round', async () => {
  const server = await serve({ script: [{ text: 'An agent speaks.' }] });
  await verdictOf(REQUEST, server);
  const message = await ask(clientOf(server), { ...REQUEST, output_config: { effort: 'low' } });
  expect(message.content.at(-1)).toMatchObject({ text: expect.stringContaining('An agent speaks.') });
});

test('a verdict that is no JSON', async () => {
  const server = await serve({ faults: [{ fault: FAULTS.invalidJson() }] });
  await expect(verdictOf(REQUEST, server)).rejects.toThrow(SyntaxError);
});

test('a verdict that was cut off', async () => {
  const server = await serve({ faults: [{ fault: FAULTS.maxTokensInCall() }] });
  const message = await ask(clientOf(server), REQUEST);
  expect(message.stop_reason).toBe('max_tokens');
});

describe('what fits a schema', () => {
  const valid = { text: 'a', count: 1 };
  test.each<[string, unknown, object, string | null]>([
    ['an object', valid, SCHEMA.$defs.cause, null],
    ['a field too many', { ...valid, more: 1 }, SCHEMA.$defs.cause, 'input.more is not in the schema'],
    ['a field too few', { text: 'a' }, SCHEMA.$defs.cause, 'input.count is missing'],
    [
      'a wrong type inside',
      { text: 'a', count: 1.5 },
      SCHEMA.$defs.cause,
      'input.count is not of type integer',
    ],
    ['a list', ['a', 1], { type: 'array', items: { type: 'string' } }, 'input.1 is not of type string'],
    ['one of two types', null, { type: ['string', 'null'] }, null],
    [
      'one of two schemas',
      7,
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      'input fits none of the alternatives',
    ],
    ['an enum', 'c', { enum: ['a', 'b'] }, 'input is none of the enum'],
    ['a constant', 'c', { const: 'a' }, 'input is not the constant'],
    [
      'a reference',
      [{}],
      { type: 'array', items: { $ref: '#/$defs/a' }, $defs: { a: { type: 'null' } } },
      'input.0 is not of type null',
    ],
  ])('%s', (_what, value, schema, problem) => {
    expect(mismatch(value, { ...schema })).toBe(problem);
  });
});
