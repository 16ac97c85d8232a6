import { FAILURES } from '../../../src/domain/failures';
import type { ModelErrorFacts, ModelFailureType } from '../../../src/domain/model-failure';
import { classifyModelFailure } from '../../../src/domain/model-failure';

const NOW = new Date('2026-01-01T00:00:00.000Z');
type Facts = Parameters<typeof classifyModelFailure>[0];
const facts = (change: Partial<Facts>): Facts => ({
  kind: 'api',
  status: null,
  errorType: null,
  errorCode: null,
  retryAfter: null,
  retryAfterMs: null,
  shouldRetry: null,
  requestId: 'req_1',
  message: 'it failed',
  ...change,
});
const classify = (change: Partial<Facts>) => classifyModelFailure(facts(change), NOW);

describe('classifyModelFailure: type and whether to try again', () => {
  it.each<[string, Partial<Facts>, ModelFailureType, boolean]>([
    ['400', { status: 400 }, FAILURES.claudeBadRequest, false],
    [
      '400 that says there is no credit',
      { status: 400, message: 'Your credit balance is too low to access the API.' },
      FAILURES.claudeBilling,
      false,
    ],
    [
      '400 that says a limit is reached',
      { status: 400, message: 'You have reached your specified API usage limits.' },
      FAILURES.claudeSpendLimit,
      false,
    ],
    ['400 of type billing_error', { status: 400, errorType: 'billing_error' }, FAILURES.claudeBilling, false],
    ['401', { status: 401 }, FAILURES.claudeAuth, false],
    ['402', { status: 402 }, FAILURES.claudeBilling, false],
    ['403', { status: 403 }, FAILURES.claudeAuth, false],
    ['404', { status: 404 }, FAILURES.claudeNotFound, false],
    ['408', { status: 408 }, FAILURES.claudeUnavailable, true],
    ['409', { status: 409 }, FAILURES.claudeUnavailable, true],
    ['412', { status: 412 }, FAILURES.claudeBadRequest, false],
    ['413', { status: 413 }, FAILURES.claudeTooLarge, false],
    ['422', { status: 422 }, FAILURES.claudeBadRequest, false],
    ['431', { status: 431 }, FAILURES.claudeBadRequest, false],
    ['499', { status: 499 }, FAILURES.claudeBadRequest, false],
    ['429 with retry-after', { status: 429, retryAfter: '3' }, FAILURES.claudeRateLimited, true],
    ['429 with retry-after-ms', { status: 429, retryAfterMs: '300' }, FAILURES.claudeRateLimited, true],
    ['429 without retry-after', { status: 429 }, FAILURES.claudeSpendLimit, false],
    [
      '429 ramp_limit_exceeded without retry-after',
      { status: 429, errorCode: 'ramp_limit_exceeded' },
      FAILURES.claudeRateLimited,
      true,
    ],
    [
      '429 enforced_spend_limit_reached with retry-after',
      { status: 429, errorCode: 'enforced_spend_limit_reached', retryAfter: '3' },
      FAILURES.claudeSpendLimit,
      false,
    ],
    [
      '429 contract_spend_limit_reached with retry-after',
      { status: 429, errorCode: 'contract_spend_limit_reached', retryAfter: '3' },
      FAILURES.claudeSpendLimit,
      false,
    ],
    [
      '429 with an unknown code',
      { status: 429, errorCode: 'new', retryAfter: '3' },
      FAILURES.claudeRateLimited,
      true,
    ],
    ['500', { status: 500 }, FAILURES.claudeUnavailable, true],
    ['501', { status: 501 }, FAILURES.claudeUnavailable, true],
    ['503', { status: 503 }, FAILURES.claudeUnavailable, true],
    ['504', { status: 504 }, FAILURES.claudeUnavailable, true],
    ['529', { status: 529 }, FAILURES.claudeUnavailable, true],
    ['400, x-should-retry: true', { status: 400, shouldRetry: 'true' }, FAILURES.claudeBadRequest, true],
    ['529, x-should-retry: false', { status: 529, shouldRetry: 'false' }, FAILURES.claudeUnavailable, false],
    [
      '429 with retry-after, x-should-retry: false',
      { status: 429, retryAfter: '3', shouldRetry: 'false' },
      FAILURES.claudeRateLimited,
      false,
    ],
    [
      '429 without retry-after, x-should-retry: true',
      { status: 429, shouldRetry: 'true' },
      FAILURES.claudeRateLimited,
      true,
    ],
    [
      '500, x-should-retry: nonsense',
      { status: 500, shouldRetry: 'maybe' },
      FAILURES.claudeUnavailable,
      true,
    ],
    ['stream: overloaded_error', { errorType: 'overloaded_error' }, FAILURES.claudeUnavailable, true],
    ['stream: api_error', { errorType: 'api_error' }, FAILURES.claudeUnavailable, true],
    ['stream: timeout_error', { errorType: 'timeout_error' }, FAILURES.claudeUnavailable, true],
    [
      'stream: rate_limit_error without retry-after',
      { errorType: 'rate_limit_error' },
      FAILURES.claudeRateLimited,
      true,
    ],
    [
      'stream: invalid_request_error',
      { errorType: 'invalid_request_error' },
      FAILURES.claudeBadRequest,
      false,
    ],
    ['stream: authentication_error', { errorType: 'authentication_error' }, FAILURES.claudeAuth, false],
    ['stream: permission_error', { errorType: 'permission_error' }, FAILURES.claudeAuth, false],
    ['stream: billing_error', { errorType: 'billing_error' }, FAILURES.claudeBilling, false],
    ['stream: not_found_error', { errorType: 'not_found_error' }, FAILURES.claudeNotFound, false],
    ['stream: request_too_large', { errorType: 'request_too_large' }, FAILURES.claudeTooLarge, false],
    ['stream: an unknown type', { errorType: 'brand_new_error' }, FAILURES.claudeUnavailable, true],
    ['stream: no type', {}, FAILURES.claudeUnavailable, true],
    ['timeout', { kind: 'timeout' }, FAILURES.claudeUnreachable, true],
    ['connection', { kind: 'connection' }, FAILURES.claudeUnreachable, true],
    ['client bug', { kind: 'client_bug' }, FAILURES.claudeClientBug, false],
  ])('%s', (_name, change, type, retryable) => {
    expect(classify(change)).toMatchObject({ type, retryable });
  });
});

describe('classifyModelFailure: when to try again', () => {
  it.each<[string, Pick<Partial<ModelErrorFacts>, 'retryAfter' | 'retryAfterMs'>, number | null]>([
    ['no header', {}, null],
    ['seconds', { retryAfter: '3' }, 3_000],
    ['part of a second', { retryAfter: ' 0.25 ' }, 250],
    ['a date', { retryAfter: 'Thu, 01 Jan 2026 00:00:20 GMT' }, 20_000],
    ['a date gone by', { retryAfter: 'Wed, 31 Dec 2025 23:59:00 GMT' }, null],
    ['zero', { retryAfter: '0' }, null],
    ['negative', { retryAfter: '-5' }, null],
    ['nonsense', { retryAfter: 'soon' }, null],
    ['milliseconds', { retryAfterMs: '1500' }, 1_500],
    ['milliseconds beat seconds', { retryAfterMs: '1500', retryAfter: '60' }, 1_500],
    ['unusable milliseconds leave it to seconds', { retryAfterMs: 'x', retryAfter: '60' }, 60_000],
    ['longer than a day is cut to a day', { retryAfter: '99999999999' }, 86_400_000],
  ])('%s', (_name, headers, expected) => {
    expect(classify({ status: 529, ...headers }).retryAfterMs).toBe(expected);
  });

  it('every type has advice of its own', () => {
    const types = [400, 401, 402, 404, 413, 429, 500].map((status) => classify({ status }));
    const all = [
      ...types,
      classify({ status: 429, retryAfter: '1' }),
      classify({ kind: 'timeout' }),
      classify({ kind: 'client_bug' }),
    ];
    expect(new Set(all.map(({ type }) => type)).size).toBe(10);
    expect(new Set(all.map(({ advice }) => advice)).size).toBe(10);
  });
});
