import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';

const SANE = /^[\w.-]{1,64}$/;

/** Gives every answer an `X-Request-Id`, the caller's own where it is harmless; logs name it too. */
export const requestId: RequestHandler = (request, response, next) => {
  const own = request.get('x-request-id');
  response.locals['requestId'] = own !== undefined && SANE.test(own) ? own : randomUUID();
  response.set('X-Request-Id', String(response.locals['requestId']));
  next();
};
