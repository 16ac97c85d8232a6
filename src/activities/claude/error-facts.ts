import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import type { ModelErrorFacts } from '../../domain/model-failure';

/** The facts of whatever the SDK threw. The order matters: the first three classes are APIErrors too. */
export function readErrorFacts(error: unknown): ModelErrorFacts {
  if (error instanceof APIUserAbortError) return facts('abort', error.message);
  if (error instanceof APIConnectionTimeoutError) return facts('timeout', describe(error));
  if (error instanceof APIConnectionError) return facts('connection', describe(error));
  if (error instanceof APIError) {
    // `instanceof` leaves the class's type parameters open.
    const headers: unknown = error.headers;
    const status: unknown = error.status;
    const header = (name: string): string | null => (headers instanceof Headers ? headers.get(name) : null);
    return {
      kind: 'api',
      status: typeof status === 'number' ? status : null,
      errorType: error.type,
      errorCode: error.errorCode,
      retryAfter: header('retry-after'),
      retryAfterMs: header('retry-after-ms'),
      shouldRetry: header('x-should-retry'),
      requestId: error.requestID ?? null,
      message: error.apiMessage ?? error.message,
    };
  }
  return facts('client_bug', describe(error));
}

function facts(kind: ModelErrorFacts['kind'], message: string): ModelErrorFacts {
  return {
    kind,
    status: null,
    errorType: null,
    errorCode: null,
    retryAfter: null,
    retryAfterMs: null,
    shouldRetry: null,
    requestId: null,
    message,
  };
}

/** "Connection error." says little; the cause behind it (at most three deep) says what happened. */
function describe(error: unknown): string {
  const parts: string[] = [];
  for (let part: unknown = error; part instanceof Error && parts.length < 3; part = part.cause) {
    if (part.message !== '' && !parts.includes(part.message)) parts.push(part.message);
  }
  return parts.length > 0 ? parts.join(': ') : String(error);
}
