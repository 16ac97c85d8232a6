import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
} from '@anthropic-ai/sdk';
import type { ModelErrorFacts } from '../../domain/model-failure';

const MAX_CAUSES = 3;

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

/** "Connection error." says little; the causes behind it say what happened. */
function describe(error: unknown): string {
  const parts: string[] = [];
  for (let part = error; isErrorLike(part) && parts.length < MAX_CAUSES; part = part.cause) {
    // A connection that was refused on every address has a code and no message.
    const text = part.message || (typeof part.code === 'string' ? part.code : '');
    if (text !== '' && !parts.includes(text)) parts.push(text.replace(/\.$/, ''));
  }
  return parts.length > 0 ? parts.join(': ') : String(error);
}

/** By shape: an error of Node's own `fetch` may be of another realm than ours. */
function isErrorLike(
  value: unknown,
): value is { readonly message: string; readonly code?: unknown; readonly cause?: unknown } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  );
}
