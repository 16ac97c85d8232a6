import { FAILURES } from './failures';

/** The plain facts of an error of the model's client; header values as they came. */
export interface ModelErrorFacts {
  readonly kind: 'abort' | 'timeout' | 'connection' | 'api' | 'client_bug';
  /** Null for an error event inside a stream: that reply began with 200. */
  readonly status: number | null;
  readonly errorType: string | null;
  readonly errorCode: string | null;
  readonly retryAfter: string | null;
  readonly retryAfterMs: string | null;
  readonly shouldRetry: string | null;
  readonly requestId: string | null;
  readonly message: string;
}

export type ModelFailureType = Extract<(typeof FAILURES)[keyof typeof FAILURES], `Claude${string}`>;

export interface ModelFailure {
  readonly type: ModelFailureType;
  readonly retryable: boolean;
  /** What the server asked for; null leaves the delay to the retry policy. */
  readonly retryAfterMs: number | null;
  /** What a person can do about it. */
  readonly advice: string;
}

const SPEND_LIMIT_CODES = ['enforced_spend_limit_reached', 'contract_spend_limit_reached'];
/** A limit on how fast use may grow: over in minutes, unlike one on money. */
const RAMP_CODE = 'ramp_limit_exceeded';
/** A longer wait is as good as none: a person looks at it before. */
const MAX_WAIT_MS = 24 * 3_600_000;

const RETRYABLE: readonly ModelFailureType[] = [
  FAILURES.claudeRateLimited,
  FAILURES.claudeUnavailable,
  FAILURES.claudeUnreachable,
];

const ADVICE: Readonly<Record<ModelFailureType, string>> = {
  ClaudeRateLimited: 'The rate limit of the account is reached; it passes by itself.',
  ClaudeSpendLimit:
    'A spend limit of the account is reached: raise it in the Console, or wait for the next period.',
  ClaudeAuth: 'The key was refused: check ANTHROPIC_API_KEY and what its workspace may use.',
  ClaudeBilling: 'The account cannot pay: check plan, credit and payment method in the Console.',
  ClaudeBadRequest:
    'The API refused the request; trying again changes nothing. Report it with the request ID.',
  ClaudeNotFound: 'Model or address is unknown: check agent.model, analyst.model and ANTHROPIC_BASE_URL.',
  ClaudeTooLarge: 'The request is too large: begin a new transcript from a summary.',
  ClaudeUnavailable: 'The API cannot serve now; it is tried again. See status.claude.com if it stays so.',
  ClaudeUnreachable: 'No whole answer came from the API: check network, proxy and ANTHROPIC_BASE_URL.',
  ClaudeClientBug: 'The call failed on this side of the wire: check key and settings, else report it.',
};

/**
 * Sorts a failed call to the model into one type and says whether to try again. `x-should-retry` beats the status. Statuses
 * and types: https://docs.claude.com/en/api/errors. An abort is no failure: it is a cancellation, and the caller's affair.
 */
export function classifyModelFailure(
  facts: ModelErrorFacts & { readonly kind: Exclude<ModelErrorFacts['kind'], 'abort'> },
  now: Date,
): ModelFailure {
  const type = typeOf(facts);
  return {
    type,
    retryable: isToRetry(facts, RETRYABLE.includes(type)),
    retryAfterMs: readRetryAfter(facts, now),
    advice: ADVICE[type],
  };
}

function isToRetry({ kind, shouldRetry }: ModelErrorFacts, usually: boolean): boolean {
  if (kind !== 'api') return usually;
  return shouldRetry === 'true' || (usually && shouldRetry !== 'false');
}

function typeOf(facts: ModelErrorFacts): ModelFailureType {
  switch (facts.kind) {
    case 'timeout':
    case 'connection':
      return FAILURES.claudeUnreachable;
    case 'client_bug':
    case 'abort':
      return FAILURES.claudeClientBug;
    case 'api':
      if (SPEND_LIMIT_CODES.includes(facts.errorCode ?? '')) return FAILURES.claudeSpendLimit;
      return facts.status === null ? typeOfStreamError(facts.errorType) : typeOfStatus(facts, facts.status);
  }
}

function typeOfStatus(facts: ModelErrorFacts, status: number): ModelFailureType {
  switch (status) {
    case 401:
    case 403:
      return FAILURES.claudeAuth;
    case 402:
      return FAILURES.claudeBilling;
    case 404:
      return FAILURES.claudeNotFound;
    case 413:
      return FAILURES.claudeTooLarge;
    case 408:
    case 409:
      return FAILURES.claudeUnavailable;
    case 429:
      return isSpendLimit(facts) ? FAILURES.claudeSpendLimit : FAILURES.claudeRateLimited;
    default:
      if (status >= 500) return FAILURES.claudeUnavailable;
      return typeOfRefusal(facts);
  }
}

/** Some limits on money come as an invalid request, and only the words tell. */
function typeOfRefusal({ errorType, message }: ModelErrorFacts): ModelFailureType {
  if (errorType === 'billing_error' || /credit balance/i.test(message)) return FAILURES.claudeBilling;
  return /\b(?:usage|spend(?:ing)?) limits?\b/i.test(message)
    ? FAILURES.claudeSpendLimit
    : FAILURES.claudeBadRequest;
}

/** The monthly cap of a usage tier has no code of its own; it shows by naming no time to come back. */
function isSpendLimit({ errorCode, retryAfter, retryAfterMs, shouldRetry }: ModelErrorFacts): boolean {
  const namesNoTime = retryAfter === null && retryAfterMs === null;
  return namesNoTime && errorCode !== RAMP_CODE && shouldRetry !== 'true';
}

/** After a 200 only the error event's own type tells; one that is not known is taken for a passing trouble of the API. */
function typeOfStreamError(errorType: string | null): ModelFailureType {
  switch (errorType) {
    case 'rate_limit_error':
      return FAILURES.claudeRateLimited;
    case 'authentication_error':
    case 'permission_error':
      return FAILURES.claudeAuth;
    case 'billing_error':
      return FAILURES.claudeBilling;
    case 'invalid_request_error':
      return FAILURES.claudeBadRequest;
    case 'not_found_error':
      return FAILURES.claudeNotFound;
    case 'request_too_large':
      return FAILURES.claudeTooLarge;
    default:
      return FAILURES.claudeUnavailable;
  }
}

const DECIMAL = /^\d+(?:\.\d+)?$/;

/** `retry-after-ms`, else `retry-after` in seconds or as an HTTP date; null for none, nonsense and times gone by. */
function readRetryAfter({ retryAfter, retryAfterMs }: ModelErrorFacts, now: Date): number | null {
  const exact = (retryAfterMs ?? '').trim();
  if (DECIMAL.test(exact) && Number(exact) > 0) return limitWait(Number(exact));
  const text = (retryAfter ?? '').trim();
  return limitWait(DECIMAL.test(text) ? Number(text) * 1_000 : Date.parse(text) - now.getTime());
}

function limitWait(waitMs: number): number | null {
  return waitMs > 0 ? Math.min(Math.ceil(waitMs), MAX_WAIT_MS) : null;
}
