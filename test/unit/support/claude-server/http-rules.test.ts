import { IssuedReplies } from '../../../support/claude-server/issued-replies';
import { validate } from '../../../support/claude-server/validate';
import { closeServers, PARAMS, serve } from './support';

afterEach(closeServers);

const BODY: Record<string, unknown> = { ...PARAMS };

function refusalOf(change: object, endpoint: 'messages' | 'count_tokens' = 'messages', betas: string[] = []) {
  const found = validate(endpoint, { ...BODY, ...change }, { betas, issued: new IssuedReplies() });
  return 'refusal' in found ? found.refusal : null;
}

function without(name: string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(BODY).filter(([key]) => key !== name));
}

const block = (more: object) => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: 'a', ...more }] }],
});

describe('the shape of a body', () => {
  test.each<[string, object]>([
    ['as the tests have it', {}],
    [
      'every field that is not of a beta',
      { metadata: { user_id: 'u' }, stop_sequences: ['x'], service_tier: 'auto' },
    ],
    ['two messages of one role', { messages: [...PARAMS.messages, ...PARAMS.messages] }],
  ])('accepted: %s', (_what, change) => {
    expect(refusalOf(change)).toBeNull();
  });

  test.each<[string, object, string]>([
    ['an unknown field', { wat: 1 }, 'wat: Extra inputs are not permitted'],
    [
      'an unknown field of a message',
      { messages: [{ role: 'user', content: 'a', id: 'm' }] },
      'messages.0.id: Extra inputs are not permitted',
    ],
    [
      'an unknown field of a block',
      block({ parsed_output: null }),
      'messages.0.content.0.parsed_output: Extra inputs are not permitted',
    ],
    [
      'an unknown field of a tool',
      { tools: [{ ...PARAMS.tools[0], run: 1 }] },
      'tools.0.run: Extra inputs are not permitted',
    ],
    ['a limit that is no integer', { max_tokens: 1.5 }, 'max_tokens: '],
    [
      'a role of another API',
      { messages: [{ role: 'tool', content: 'a' }] },
      "messages.0.role: Input should be 'user' or 'assistant'",
    ],
    [
      'a block of no known type',
      block({ type: 'input_text' }),
      "messages.0.content.0.type: Input tag found using 'type'",
    ],
    ['a block without its text', block({ text: undefined }), 'messages.0.content.0.text: Field required'],
    ['a number as content', { messages: [{ role: 'user', content: 7 }] }, 'messages.0.content: '],
    [
      'an ID with a blank',
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'a b' }] }] },
      'messages.0.content.0.tool_use_id: String should match pattern',
    ],
    [
      'a name with a dot',
      { tools: [{ ...PARAMS.tools[0], name: 'a.b' }] },
      'tools.0.name: String should match pattern',
    ],
    [
      'a schema that is no object',
      { tools: [{ name: 'a', input_schema: { type: 'string' } }] },
      'tools.0.input_schema.type: ',
    ],
    ['an effort that is none', { output_config: { effort: 'huge' } }, 'output_config.effort: '],
    [
      'a cache mark for two hours',
      { cache_control: { type: 'ephemeral', ttl: '2h' } },
      'cache_control.ttl: ',
    ],
  ])('refused: %s', (_what, change, message) => {
    const refusal = refusalOf(change);
    expect(refusal).toMatchObject({ status: 400, type: 'invalid_request_error' });
    expect(refusal?.message).toContain(message);
  });

  test.each(['model', 'max_tokens', 'messages'])('refused: no %s', (field) => {
    const found = validate('messages', without(field), { betas: [], issued: new IssuedReplies() });
    expect(found).toMatchObject({ refusal: { status: 400, message: `${field}: Field required` } });
  });

  test.each(['temperature', 'top_p', 'top_k'])('refused: %s, even at its default', (field) => {
    expect(refusalOf({ [field]: 1 })?.message).toContain(`\`${field}\` is not supported`);
  });

  test.each([
    'context_management',
    'compaction',
    'thread',
    'mcp_servers',
    'fallbacks',
    'block_binding',
    'output_format',
  ])('refused: %s without its header', (field) => {
    expect(refusalOf({ [field]: {} })?.message).toBe(`${field}: Extra inputs are not permitted`);
  });

  test('a beta that is asked for properly is refused as not played here', () => {
    const refusal = refusalOf({ thread: {} }, 'messages', ['message-threads-2026-08-12']);
    expect(refusal?.message).toContain('does not play this beta');
  });

  test('an unknown model is not found', () => {
    expect(refusalOf({ model: 'gpt' })).toEqual({
      status: 404,
      type: 'not_found_error',
      message: 'model: gpt',
    });
  });

  test('count_tokens knows fewer fields', () => {
    expect(refusalOf({}, 'count_tokens')?.message).toBe('max_tokens: Extra inputs are not permitted');
  });

  test('the rules are asked as well', () => {
    expect(refusalOf({ messages: [] })?.message).toMatch(/at least one message/);
  });
});

describe('HTTP', () => {
  const KEY = { 'x-api-key': 'sk-test' };
  const VERSION = { 'anthropic-version': '2026-10-21' };

  test.each<[string, Record<string, string>, number, string | null]>([
    ['x-api-key', { ...KEY, ...VERSION }, 200, null],
    ['Bearer', { authorization: 'Bearer sk-test', ...VERSION }, 200, null],
    ['no key', VERSION, 401, 'authentication_error'],
    ['another key', { 'x-api-key': 'sk-other', ...VERSION }, 401, 'authentication_error'],
    ['no version', KEY, 400, 'invalid_request_error'],
    ['an unknown version', { ...KEY, 'anthropic-version': '1999-01-01' }, 400, 'invalid_request_error'],
  ])('%s', async (_what, headers, status, type) => {
    const server = await serve({ script: [{ text: 'Hello.' }], apiKey: 'sk-test' });
    const response = await post(server.baseUrl, '/v1/messages', JSON.stringify(BODY), headers);
    expect(response.status).toBe(status);
    if (type !== null) expect(await response.json()).toMatchObject({ error: { type } });
  });

  test.each<[string, string, string, number, string]>([
    ['a body that is no JSON', '/v1/messages', '{"model":', 400, 'invalid_request_error'],
    ['a body that is a list', '/v1/messages', '[]', 400, 'invalid_request_error'],
    [
      'a broken rule',
      '/v1/messages',
      JSON.stringify({ ...BODY, messages: [] }),
      400,
      'invalid_request_error',
    ],
    ['another path', '/v1/complete', '{}', 404, 'not_found_error'],
    ['more than 32 MB', '/v1/messages', ' '.repeat(33 * 1024 * 1024), 413, 'request_too_large'],
  ])('%s: exactly the error body of the API, and a request ID', async (_what, path, body, status, type) => {
    const server = await serve();
    const response = await post(server.baseUrl, path, body, { ...KEY, ...VERSION });
    expect(response.status).toBe(status);
    const requestId = response.headers.get('request-id');
    expect(requestId).toMatch(/^req_/);
    const message: unknown = expect.any(String);
    expect(await response.json()).toEqual({ type: 'error', error: { type, message }, request_id: requestId });
    expect(server.requests[0]).toMatchObject({ status, requestId, refusal: { status, type } });
    expect(server.problems).toEqual([]);
  });

  test('what came over the wire is kept', async () => {
    const before = performance.now();
    const server = await serve({ script: [{ text: 'Hello.' }] });
    await post(server.baseUrl, '/v1/messages?beta=true', JSON.stringify(BODY), { ...KEY, ...VERSION });
    const [request] = server.messageRequests;
    expect(request).toMatchObject({ method: 'POST', path: '/v1/messages', body: BODY, status: 200 });
    expect(request?.headers['anthropic-version']).toBe('2026-10-21');
    expect(request?.arrivedAtMs).toBeGreaterThan(before);
    expect(request?.disconnectedAtMs).toBeNull();
  });
});

function post(url: string, path: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url + path, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  });
}
