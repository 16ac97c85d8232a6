import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { createCallClaude } from '../../../../src/activities/claude/call-claude';
import type { CallClaude, CallClaudeDeps } from '../../../../src/activities/claude/call-claude';
import { createClaudeClient } from '../../../../src/activities/claude/claude-client';
import { createRedactor } from '../../../../src/domain/redaction';
import { waitFor } from '../../../support/wait-for';
import type { Answer } from './scripted-api';
import { BEGUN, refuse, REQUEST_ID, startScriptedApi, stream, WHOLE } from './scripted-api';

const NOW = new Date('2026-01-01T00:00:00.000Z');
const PARAMS = {
  model: 'claude-opus-5-5',
  max_tokens: 1_000,
  messages: [{ role: 'user' as const, content: 'hi' }],
};
const api = startScriptedApi();
let baseUrl = '';
let nowMs = 0;

beforeAll(async () => {
  baseUrl = await api.listen();
});
afterAll(() => api.close());
beforeEach(() => {
  api.script.length = 0;
  api.seen.length = 0;
  nowMs = 1_000;
});

function makeCall(change: Partial<CallClaudeDeps> = {}): CallClaude {
  return createCallClaude({
    client: createClaudeClient({ apiKey: 'sk-ant-test', baseUrl, timeoutMs: 5_000 }),
    redact: createRedactor({ secrets: [{ name: 'TEST_SECRET', value: 'swordfish-0001' }] }),
    now: () => NOW,
    monotonicMs: () => nowMs,
    circuit: { failures: 3, openMs: 30_000 },
    silenceLimitMs: 5_000,
    ...change,
  });
}
const garbage: Answer = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end('event: message_start\ndata: {"type": "mess\n\n');
};
const quiet = { signal: new AbortController().signal, onEvent: () => undefined };

async function failureOf(call: CallClaude): Promise<ApplicationFailure> {
  const error = await call(PARAMS, quiet).then(
    () => new Error('it answered'),
    (reason: unknown) => reason,
  );
  if (error instanceof ApplicationFailure) return error;
  throw error;
}
const apiError = (type: string, message = 'no') => ({ type: 'error', error: { type, message } });

describe('createCallClaude: a whole answer', () => {
  it('returns content, usage and request ID as they came, with one event each for the heartbeat', async () => {
    api.script.push(stream(WHOLE));
    let events = 0;
    const reply = await makeCall()(PARAMS, { ...quiet, onEvent: () => (events += 1) });
    expect(reply.requestId).toBe(REQUEST_ID);
    expect(JSON.parse(JSON.stringify(reply.message))).toMatchObject({
      stop_reason: 'tool_use',
      content: [
        { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
        {
          type: 'tool_use',
          id: 'toolu_1',
          name: 'read_file',
          input: { path: 'a' },
          caller: { type: 'direct' },
        },
      ],
      usage: { input_tokens: 11, cache_read_input_tokens: 7, output_tokens: 40 },
    });
    expect(events).toBe(WHOLE.length);
  });

  it('content that goes back to the API is what came from it', async () => {
    api.script.push(stream(WHOLE), stream(WHOLE));
    const call = makeCall();
    const { message } = await call(PARAMS, quiet);
    const stored = JSON.parse(JSON.stringify(message.content)) as typeof message.content;
    await call({ ...PARAMS, messages: [...PARAMS.messages, { role: 'assistant', content: stored }] }, quiet);
    expect(api.seen[1]?.body.messages[1].content).toEqual([
      { type: 'thinking', thinking: 'hm', signature: 'c2ln' },
      {
        type: 'tool_use',
        id: 'toolu_1',
        name: 'read_file',
        input: { path: 'a' },
        caller: { type: 'direct' },
      },
    ]);
  });

  it('asks once, streaming, with the key', async () => {
    api.script.push(refuse(500, apiError('api_error')));
    await failureOf(makeCall());
    expect(api.seen).toHaveLength(1);
    expect(api.seen[0]?.body.stream).toBe(true);
    expect(api.seen[0]?.headers.authorization).toBe('Bearer sk-ant-test');
  });
});

describe('createCallClaude: failures', () => {
  const overloaded = { type: 'error', error: { type: 'overloaded_error', message: 'busy' } };
  it.each<[string, Answer, object]>([
    ['400', refuse(400, apiError('invalid_request_error')), { type: 'ClaudeBadRequest', nonRetryable: true }],
    ['401', refuse(401, apiError('authentication_error')), { type: 'ClaudeAuth', nonRetryable: true }],
    [
      '429 with retry-after',
      refuse(429, apiError('rate_limit_error'), { 'retry-after': '3' }),
      { type: 'ClaudeRateLimited', nonRetryable: false, nextRetryDelay: 3_000 },
    ],
    [
      '429 with a date',
      refuse(429, apiError('rate_limit_error'), { 'retry-after': 'Thu, 01 Jan 2026 00:00:20 GMT' }),
      { type: 'ClaudeRateLimited', nextRetryDelay: 20_000 },
    ],
    [
      '429 of a spend limit',
      refuse(
        429,
        {
          error: {
            type: 'rate_limit_error',
            message: 'no',
            details: { error_code: 'enforced_spend_limit_reached' },
          },
        },
        { 'retry-after': '3' },
      ),
      { type: 'ClaudeSpendLimit', nonRetryable: true },
    ],
    ['529', refuse(529, overloaded), { type: 'ClaudeUnavailable', nonRetryable: false }],
    [
      '400 with x-should-retry',
      refuse(400, apiError('invalid_request_error'), { 'x-should-retry': 'true' }),
      { type: 'ClaudeBadRequest', nonRetryable: false },
    ],
    ['a page that is no JSON', refuse(502, '<html>bad gateway</html>'), { type: 'ClaudeUnavailable' }],
    [
      'an error event in the stream',
      stream([...BEGUN, overloaded]),
      { type: 'ClaudeUnavailable', nonRetryable: false },
    ],
    [
      'a refusal in the stream',
      stream([{ type: 'error', error: { type: 'invalid_request_error', message: 'no' } }]),
      { type: 'ClaudeBadRequest', nonRetryable: true },
    ],
    ['a stream that is cut', stream(BEGUN, 'cut'), { type: 'ClaudeUnreachable', nonRetryable: false }],
    [
      'a stream that ends before its answer',
      stream(BEGUN),
      { type: 'ClaudeUnreachable', nonRetryable: false },
    ],
    ['a stream that is garbage', garbage, { type: 'ClaudeUnreachable', nonRetryable: false }],
    ['a stream that ends before it begins', stream([]), { type: 'ClaudeUnreachable', nonRetryable: false }],
    [
      'a connection closed without an answer',
      (response) => response.destroy(),
      { type: 'ClaudeUnreachable' },
    ],
  ])('%s', async (_name, answer, expected) => {
    api.script.push(answer);
    const failure = await failureOf(makeCall());
    expect(failure).toMatchObject(expected);
    expect(failure.details?.[0]).toMatchObject({ advice: expect.stringMatching(/.{20}/) });
    expect(api.seen).toHaveLength(1);
  });

  it('carries the request ID, and what the API had counted when it broke', async () => {
    api.script.push(refuse(500, apiError('api_error')), stream(BEGUN, 'cut'), stream(BEGUN, 'end'));
    const call = makeCall({ circuit: { failures: 9, openMs: 30_000 } });
    expect((await failureOf(call)).details?.[0]).toMatchObject({ requestId: REQUEST_ID, usage: null });
    for (let times = 0; times < 2; times += 1) {
      expect((await failureOf(call)).details?.[0]).toMatchObject({
        requestId: REQUEST_ID,
        usage: { input_tokens: 11, cache_read_input_tokens: 7, output_tokens: 1 },
      });
    }
  });

  it('nobody listens: unreachable, and it says why', async () => {
    const gone = startScriptedApi();
    const client = createClaudeClient({ apiKey: 'k', baseUrl: await gone.listen(), timeoutMs: 5_000 });
    await gone.close();
    const failure = await failureOf(makeCall({ client }));
    expect(failure).toMatchObject({
      type: 'ClaudeUnreachable',
      message: expect.stringMatching(/ECONNREFUSED/),
    });
  });

  it('no answer within the time limit: unreachable', async () => {
    api.script.push(() => undefined);
    const client = createClaudeClient({ apiKey: 'k', baseUrl, timeoutMs: 100 });
    expect(await failureOf(makeCall({ client }))).toMatchObject({
      type: 'ClaudeUnreachable',
      nonRetryable: false,
    });
  });

  it('a stream that goes silent: unreachable, and the request is ended', async () => {
    api.script.push(stream(BEGUN, 'hang'));
    const failure = await failureOf(makeCall({ silenceLimitMs: 100 }));
    expect(failure).toMatchObject({ type: 'ClaudeUnreachable', message: 'no event within 100 ms' });
    await api.seen[0]?.closedEarly;
  });

  it('secrets in a message of the API are masked', async () => {
    api.script.push(refuse(400, apiError('invalid_request_error', 'you said swordfish-0001')));
    expect((await failureOf(makeCall())).message).toMatch(/^you said .*(?<!swordfish-0001)$/);
  });
});

describe('createCallClaude: cancellation', () => {
  it('ends the request within a second and throws the reason', async () => {
    api.script.push(stream(BEGUN, 'hang'));
    const controller = new AbortController();
    let events = 0;
    const paid: unknown[] = [];
    const running = makeCall()(PARAMS, {
      signal: controller.signal,
      onEvent: () => (events += 1),
      onAbandoned: (usage) => Promise.resolve(void paid.push(usage)),
    });
    const settled = running.catch((error: unknown) => error);
    await waitFor('the stream has begun', () => Promise.resolve(events === BEGUN.length));
    const reason = new CancelledFailure('CANCELLED');
    const before = performance.now();
    controller.abort(reason);
    expect(await settled).toBe(reason);
    expect(paid).toEqual([expect.objectContaining({ input_tokens: expect.any(Number) as number })]);
    await api.seen[0]?.closedEarly;
    expect(performance.now() - before).toBeLessThan(1_000);
  });

  it('before the answer begins', async () => {
    api.script.push(() => undefined);
    const controller = new AbortController();
    const settled = makeCall()(PARAMS, { ...quiet, signal: controller.signal }).catch(
      (error: unknown) => error,
    );
    await waitFor('the request has arrived', () => Promise.resolve(api.seen.length === 1));
    const reason = new CancelledFailure('CANCELLED');
    controller.abort(reason);
    expect(await settled).toBe(reason);
    await api.seen[0]?.closedEarly;
  });

  it('a call that is cancelled before it begins asks nobody', async () => {
    const reason = new CancelledFailure('CANCELLED');
    await expect(makeCall()(PARAMS, { ...quiet, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(api.seen).toHaveLength(0);
  });
});

describe('createCallClaude: a dead API', () => {
  const dead = refuse(529, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } });

  it('is not asked again after three failures, until the pause is over; one answer ends it', async () => {
    api.script.push(dead, dead, dead, stream(WHOLE), stream(WHOLE));
    const call = makeCall();
    for (let times = 0; times < 3; times += 1) await failureOf(call);
    nowMs += 10_000;
    expect(await failureOf(call)).toMatchObject({
      type: 'ClaudeUnavailable',
      nonRetryable: false,
      nextRetryDelay: 20_000,
    });
    expect(api.seen).toHaveLength(3);
    nowMs += 20_000;
    await call(PARAMS, quiet);
    await call(PARAMS, quiet);
    expect(api.seen).toHaveLength(5);
  });

  it('of fifty calls at once when the pause is over only one asks', async () => {
    api.script.push(dead, dead, dead, dead);
    const call = makeCall();
    for (let times = 0; times < 3; times += 1) await failureOf(call);
    nowMs += 30_000;
    await Promise.all(Array.from({ length: 50 }, () => failureOf(call)));
    expect(api.seen).toHaveLength(4);
  });

  it('one that refuses is not dead', async () => {
    const no = refuse(400, apiError('invalid_request_error'));
    api.script.push(dead, dead, no, dead, dead, stream(WHOLE));
    const call = makeCall();
    for (let times = 0; times < 5; times += 1) await failureOf(call);
    await call(PARAMS, quiet);
    expect(api.seen).toHaveLength(6);
  });
});
