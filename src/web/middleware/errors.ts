import { isNativeError } from 'node:util/types';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { ControlRefused, ControlUnreachable } from '../../client/control-errors';
import { RegistryMissing } from '../../client/registry-reader';
import { InvalidCursor } from '../../client/tickets';
import type { WebDependencies } from '../dependencies';
import { Problem, sendProblem } from '../problem';
import { isTemporalUnavailable } from '../temporal-errors';

export const unknownRoute: RequestHandler = (request) => {
  throw new Problem(
    404,
    'Not found',
    `There is no ${request.method} ${request.path}. The API is under /api/v1: tickets, invariants, services; besides it /health, /ready, /metrics.`,
  );
};

/** Every error becomes a problem document; an unforeseen one is logged and told without its inside. */
export function errors({ log, redact }: Pick<WebDependencies, 'log' | 'redact'>): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    const known = toProblem(error);
    if (known) return sendProblem(response, known);
    const requestId = String(response.locals['requestId'] ?? '');
    const text = isNativeError(error) ? (error.stack ?? error.message) : String(error);
    log.error(
      { requestId, method: request.method, path: request.path, error: redact(text) },
      'request failed',
    );
    const detail = `The request failed inside the harness, which is a bug; the log of the web process has it under request ID ${requestId}.`;
    sendProblem(response, new Problem(500, 'Internal error', detail));
  };
}

function toProblem(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  if (error instanceof InvalidCursor) return new Problem(400, 'Bad cursor', error.message);
  if (error instanceof RegistryMissing) {
    return new Problem(503, 'No registry', error.message, { retryAfterS: 5 });
  }
  if (error instanceof ControlUnreachable) {
    return new Problem(503, 'No supervisor', error.message, { retryAfterS: 5 });
  }
  if (error instanceof ControlRefused) return refusedProblem(error);
  if (isTemporalUnavailable(error)) {
    const detail =
      'Temporal does not answer. The embedded server is started again when it has ended; one that hangs is not: see its log.';
    return new Problem(503, 'Temporal unavailable', detail, { retryAfterS: 2 });
  }
  return bodyProblem(error);
}

function refusedProblem({ status, message }: ControlRefused): Problem {
  if (status === 404) return new Problem(404, 'Not found', message);
  if (status === 503) return new Problem(503, 'Supervisor is stopping', message, { retryAfterS: 5 });
  return new Problem(status >= 500 ? 502 : 409, 'Refused by the supervisor', message);
}

/** What express.json and the router throw carries a `status` (and a `type`). */
function bodyProblem(error: unknown): Problem | null {
  if (!isNativeError(error) || !('status' in error) || typeof error.status !== 'number') return null;
  if (error.status < 400 || error.status > 499) return null;
  const type = 'type' in error ? error.type : '';
  if (type === 'entity.parse.failed')
    return new Problem(400, 'Malformed JSON', `The body is not JSON: ${error.message}`);
  if (type === 'entity.too.large') return new Problem(413, 'Too large', 'A body may have 64 KiB at most.');
  return new Problem(error.status, 'Bad request', error.message);
}
