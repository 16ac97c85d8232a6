import Anthropic, {
  AnthropicError,
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import { readErrorFacts } from '../../../../src/activities/claude/error-facts';

const body = (type: string, details?: object) => ({
  type: 'error',
  error: { type, message: 'it says why', details },
});
const fromStatus = (status: number, type: string, headers: Record<string, string> = {}, details?: object) =>
  APIError.generate(
    status,
    body(type, details),
    undefined,
    new Headers({ 'request-id': 'req_1', ...headers }),
  );

describe('readErrorFacts', () => {
  it.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [402, 'billing_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [408, 'timeout_error'],
    [409, 'conflict_error'],
    [412, 'invalid_request_error'],
    [413, 'request_too_large'],
    [422, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [501, 'api_error'],
    [503, 'api_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ])('%i %s', (status, errorType) => {
    expect(readErrorFacts(fromStatus(status, errorType))).toEqual({
      kind: 'api',
      status,
      errorType,
      errorCode: null,
      retryAfter: null,
      retryAfterMs: null,
      shouldRetry: null,
      requestId: 'req_1',
      message: 'it says why',
    });
  });

  it('reads code and headers', () => {
    const headers = { 'retry-after': '3', 'retry-after-ms': '2900', 'x-should-retry': 'true' };
    const error = fromStatus(429, 'rate_limit_error', headers, { error_code: 'ramp_limit_exceeded' });
    expect(readErrorFacts(error)).toMatchObject({
      errorCode: 'ramp_limit_exceeded',
      retryAfter: '3',
      retryAfterMs: '2900',
      shouldRetry: 'true',
    });
  });

  it('a class of its own for a code is still an API error', () => {
    const error = new Anthropic.EnforcedSpendLimitReachedError(
      429,
      body('rate_limit_error', { error_code: 'enforced_spend_limit_reached' }),
      undefined,
      new Headers(),
    );
    expect(readErrorFacts(error)).toMatchObject({
      kind: 'api',
      status: 429,
      errorCode: 'enforced_spend_limit_reached',
    });
  });

  it('an error event inside a stream has a type and no status', () => {
    const error = new APIError(
      undefined,
      body('overloaded_error'),
      undefined,
      new Headers(),
      'overloaded_error',
    );
    expect(readErrorFacts(error)).toMatchObject({ kind: 'api', status: null, errorType: 'overloaded_error' });
  });

  const refused = new Error('fetch failed', { cause: new Error('connect ECONNREFUSED') });
  it.each<[string, unknown, object]>([
    ['an abort, before it is taken for an API error', new APIUserAbortError(), { kind: 'abort' }],
    ['a timeout, before it is taken for a connection', new APIConnectionTimeoutError(), { kind: 'timeout' }],
    [
      'a connection, with its causes',
      new APIConnectionError({ cause: refused }),
      { kind: 'connection', message: 'Connection error: fetch failed: connect ECONNREFUSED' },
    ],
    ['an error of the SDK', new AnthropicError('misuse'), { kind: 'client_bug', message: 'misuse' }],
    ['a TypeError', new TypeError('two credentials'), { kind: 'client_bug', message: 'two credentials' }],
    ['what is no error', 'oops', { kind: 'client_bug', message: 'oops' }],
  ])('%s', (_name, error, expected) => {
    expect(readErrorFacts(error)).toMatchObject({ status: null, requestId: null, ...expected });
  });
});
