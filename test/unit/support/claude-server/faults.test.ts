import Anthropic from '@anthropic-ai/sdk';
import { FAULTS } from '../../../support/claude-server/faults';
import type { Fault } from '../../../support/claude-server/faults';
import type { ScriptedTurn } from '../../../support/claude-server/script';
import { waitFor } from '../../../support/wait-for';
import { apiErrorOf, ask, carryOn, clientOf, closeServers, errorOf, inspect, PARAMS, serve } from './support';

afterEach(closeServers);

const SCRIPT: readonly ScriptedTurn[] = [
  { thinking: 'Look first.', calls: [inspect()] },
  { thinking: 'It is well.', text: 'Done.' },
];

function serveWith(fault: Fault) {
  return serve({ script: SCRIPT, faults: [{ fault }] });
}

type ErrorClass = abstract new (...args: never[]) => Error;

describe('as an HTTP error', () => {
  test.each<[string, Fault, number, ErrorClass, string, Record<string, string | null>]>([
    [
      '429 with retry-after',
      FAULTS.rateLimit({ retryAfterS: 3 }),
      429,
      Anthropic.RateLimitError,
      'rate_limit_error',
      { 'retry-after': '3' },
    ],
    [
      '429 without',
      FAULTS.rateLimit(),
      429,
      Anthropic.RateLimitError,
      'rate_limit_error',
      { 'retry-after': null },
    ],
    [
      '529',
      FAULTS.overloaded({ retryAfterS: 1 }),
      529,
      Anthropic.OverloadedError,
      'overloaded_error',
      { 'retry-after': '1' },
    ],
    [
      '500',
      FAULTS.serverError(),
      500,
      Anthropic.InternalServerError,
      'api_error',
      { 'x-should-retry': null },
    ],
    [
      '500 that is not to be retried',
      FAULTS.serverError({ shouldRetry: false }),
      500,
      Anthropic.InternalServerError,
      'api_error',
      { 'x-should-retry': 'false' },
    ],
    [
      '402',
      FAULTS.http(402, 'billing_error', 'No credit.'),
      402,
      Anthropic.PaymentRequiredError,
      'billing_error',
      {},
    ],
  ])('%s', async (_what, fault, status, errorClass, type, headers) => {
    const server = await serveWith(fault);
    const error = await apiErrorOf(ask(clientOf(server), PARAMS));
    expect(error).toBeInstanceOf(errorClass);
    expect(error).toMatchObject({ status, type });
    expect(error.requestID).toBe(server.requests[0]?.requestId);
    for (const [name, value] of Object.entries(headers)) expect(error.headers?.get(name)).toBe(value);
    expect(server.requests[0]).toMatchObject({ status, fault: 'http', refusal: null });
    // The same request gets its turn when the fault is over.
    expect((await ask(clientOf(server), PARAMS)).stop_reason).toBe('tool_use');
  });

  test('a spend limit is told by its code', async () => {
    const server = await serveWith(FAULTS.rateLimit({ errorCode: 'enforced_spend_limit_reached' }));
    const error = await apiErrorOf(ask(clientOf(server), PARAMS));
    expect(error.errorCode).toBe('enforced_spend_limit_reached');
  });

  test('x-should-retry makes the client itself try a 400 again', async () => {
    const fault = FAULTS.http(400, 'invalid_request_error', 'Try again.', { shouldRetry: true });
    const server = await serveWith(fault);
    const message = await clientOf(server).messages.create(PARAMS, { maxRetries: 1 });
    expect(message.stop_reason).toBe('tool_use');
    expect(server.messageRequests).toHaveLength(2);
  });
});

describe('on the connection', () => {
  test('an error event inside a stream: a plain APIError without status, with its type', async () => {
    const error = await apiErrorOf(ask(clientOf(await serveWith(FAULTS.errorEvent())), PARAMS));
    expect(error.status).toBeUndefined();
    expect(error.type).toBe('overloaded_error');
    expect(error).not.toBeInstanceOf(Anthropic.APIConnectionError);
  });

  test('cut before the reply: a connection error', async () => {
    const server = await serveWith(FAULTS.cutMidStream());
    const error = await errorOf(clientOf(server).messages.create(PARAMS));
    expect(error).toBeInstanceOf(Anthropic.APIConnectionError);
    expect(server.requests[0]?.disconnectedAtMs).toBeNull();
  });

  // MessageStream wraps what breaks while it reads: no APIError at all. Its cause (a TypeError whose own cause has the code
  // UND_ERR_SOCKET or ECONNRESET) is lost here, because an Error of undici is not one of Jest's realm.
  test.each([0, 1, 4])('cut after %d events: a plain AnthropicError, not an APIError', async (events) => {
    const error = await errorOf(ask(clientOf(await serveWith(FAULTS.cutMidStream(events))), PARAMS));
    expect(error).toBeInstanceOf(Anthropic.AnthropicError);
    expect(error).not.toBeInstanceOf(Anthropic.APIError);
    expect(String(error)).toContain('terminated');
  });

  test.each([0, 4])(
    'a stream that ends early, after %d events: a plain AnthropicError, not an APIError',
    async (events) => {
      const error = await errorOf(ask(clientOf(await serveWith(FAULTS.earlyEnd(events))), PARAMS));
      expect(error).toBeInstanceOf(Anthropic.AnthropicError);
      expect(error).not.toBeInstanceOf(Anthropic.APIError);
      expect(String(error)).toContain('ended without');
      expect(error).not.toHaveProperty('cause');
    },
  );

  test.each<[string, Fault]>([['silence', FAULTS.hang()]])(
    '%s: the client gives up in time',
    async (_what, fault) => {
      const server = await serveWith(fault);
      const error = await errorOf(ask(clientOf(server, 200), PARAMS));
      expect(error).toBeInstanceOf(Anthropic.APIConnectionTimeoutError);
      const [request] = server.requests;
      await waitFor('the client leaves', () => Promise.resolve((request?.disconnectedAtMs ?? null) !== null));
    },
  );

  test.each<[string, Fault]>([
    ['before the reply', FAULTS.hang()],
    ['in the middle of the stream', FAULTS.hang(3)],
  ])('a call cancelled %s: the server sees it within a second', async (_when, fault) => {
    const server = await serveWith(fault);
    const cancel = new AbortController();
    const failed = errorOf(ask(clientOf(server), PARAMS, cancel.signal));
    await waitFor('the request arrives', () => Promise.resolve(server.requests[0]?.body ?? null));
    const cancelledAtMs = performance.now();
    cancel.abort();
    expect(await failed).toBeInstanceOf(Anthropic.APIUserAbortError);
    const leftAtMs = await waitFor('the client leaves', () =>
      Promise.resolve(server.requests[0]?.disconnectedAtMs ?? null),
    );
    expect(leftAtMs - cancelledAtMs).toBeLessThan(1_000);
    expect(server.problems).toEqual([]);
  });

  test('a slow reply can be cancelled as well, and the latency be set while it runs', async () => {
    const server = await serve({ script: SCRIPT, latencyMs: 60_000 });
    const cancel = new AbortController();
    const failed = errorOf(ask(clientOf(server, 70_000), PARAMS, cancel.signal));
    await waitFor('the request arrives', () => Promise.resolve(server.requests[0]?.body ?? null));
    cancel.abort();
    expect(await failed).toBeInstanceOf(Anthropic.APIUserAbortError);
    server.latencyMs = 0;
    expect((await ask(clientOf(server), PARAMS)).stop_reason).toBe('tool_use');
    expect(server.problems).toEqual([]);
  });

  test('a stream that is slow between its events is open, and can be cancelled', async () => {
    const server = await serve({ script: SCRIPT, eventDelayMs: 60_000 });
    const stream = clientOf(server, 70_000).messages.stream(PARAMS);
    const failed = errorOf(stream.finalMessage());
    await stream.withResponse();
    stream.abort();
    expect(await failed).toBeInstanceOf(Anthropic.APIUserAbortError);
    await waitFor('the client leaves', () =>
      Promise.resolve((server.requests[0]?.disconnectedAtMs ?? null) !== null),
    );
    expect(server.problems).toEqual([]);
  });

  test('an error event without a stream is a mistake of the test', async () => {
    const server = await serveWith(FAULTS.errorEvent());
    expect((await apiErrorOf(clientOf(server).messages.create(PARAMS))).status).toBe(500);
    expect(server.problems).toEqual([expect.stringContaining('needs a stream')]);
  });
});

describe('as something the model says', () => {
  test('max_tokens inside a call: the input is not whole, the next try is', async () => {
    const server = await serveWith(FAULTS.maxTokensInCall());
    const message = await ask(clientOf(server), PARAMS);
    expect(message.stop_reason).toBe('max_tokens');
    const call = message.content.find((block) => block.type === 'tool_use');
    expect(call?.input).not.toEqual(inspect().input);
    const again = await ask(clientOf(server), PARAMS);
    expect(again.content.find((block) => block.type === 'tool_use')?.input).toEqual(inspect().input);
  });

  test('a refusal has its category', async () => {
    const message = await ask(clientOf(await serveWith(FAULTS.refusal('cyber'))), PARAMS);
    expect(message).toMatchObject({
      stop_reason: 'refusal',
      content: [],
      stop_details: { category: 'cyber' },
    });
  });

  test('malformed input of a call', async () => {
    const message = await ask(clientOf(await serveWith(FAULTS.malformedInput())), PARAMS);
    expect(message.stop_reason).toBe('tool_use');
    expect(message.content.at(-1)).toMatchObject({ name: 'inspect_service', input: { servis: 7 } });
  });

  test('a tool that does not exist', async () => {
    const message = await ask(clientOf(await serveWith(FAULTS.unknownTool())), PARAMS);
    expect(message.content.at(-1)).toMatchObject({ type: 'tool_use', name: 'reboot_the_moon' });
  });

  test.each<[string, Fault, string]>([
    ['the same twice', FAULTS.parallelCalls(), 'inspect_service'],
    ['two tools', FAULTS.parallelCalls({ name: 'service_control', input: {} }), 'service_control'],
  ])('two calls at once, %s; both answered, it goes on', async (_what, fault, second) => {
    const server = await serveWith(fault);
    const tool_choice = { type: 'auto' as const, disable_parallel_tool_use: true };
    const message = await ask(clientOf(server), { ...PARAMS, tool_choice });
    const calls = message.content.filter((block) => block.type === 'tool_use');
    expect(calls.map(({ name }) => name)).toEqual(['inspect_service', second]);
    const messages = carryOn(PARAMS.messages, message);
    expect((await ask(clientOf(server), { ...PARAMS, tool_choice, messages })).stop_reason).toBe('end_turn');
  });

  test('the end without a call', async () => {
    const message = await ask(clientOf(await serveWith(FAULTS.endTurn())), PARAMS);
    expect(message.stop_reason).toBe('end_turn');
    expect(message.content.map(({ type }) => type)).toEqual(['text']);
  });

  test('no room left', async () => {
    const message = await ask(clientOf(await serveWith(FAULTS.contextWindowExceeded())), PARAMS);
    expect(message.stop_reason).toBe('model_context_window_exceeded');
  });
});

test('faults stand in line; one for the n-th request waits for it', async () => {
  const server = await serve({
    script: SCRIPT,
    faults: [
      { fault: FAULTS.overloaded(), at: 2 },
      { fault: FAULTS.rateLimit() },
      { fault: FAULTS.serverError() },
    ],
  });
  const statuses = [];
  for (let request = 0; request < 4; request += 1) {
    const work = ask(clientOf(server), PARAMS).then(() => ({ status: 200 }));
    statuses.push((await work.catch((error: InstanceType<typeof Anthropic.APIError>) => error)).status);
  }
  expect(statuses).toEqual([429, 529, 500, 200]);
});

it('faults that are cleared do not come, wherever they were planned', async () => {
  const server = await serve({ script: SCRIPT, faults: [{ fault: FAULTS.serverError() }] });
  server.inject(FAULTS.serverError(), 1);
  server.clearFaults();
  expect((await ask(clientOf(server), PARAMS)).stop_reason).toBe('tool_use');
});

it('a reply that is held: the client hears it when it is let go, and a client that leaves is seen', async () => {
  let letGo = (): void => undefined;
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const server = await serve({ script: SCRIPT, hold: () => gate });
  const leaving = new AbortController();
  const client = clientOf(server);
  const [stays, leaves] = [ask(client, PARAMS), ask(client, PARAMS, leaving.signal)];
  await waitFor('both have asked', () => Promise.resolve(server.messageRequests.length === 2));
  leaving.abort();
  await expect(leaves).rejects.toThrow(Anthropic.APIUserAbortError);
  await waitFor('one has left', () =>
    Promise.resolve(server.messageRequests.some(({ disconnectedAtMs }) => disconnectedAtMs !== null)),
  );
  expect(server.messageRequests.every(({ reply }) => reply === null)).toBe(true);
  letGo();
  expect((await stays).stop_reason).toBe('tool_use');
});
