import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { Problem } from '../problem';
import { isLoopback } from './host-check';

export interface AuthOptions {
  readonly host: string;
  readonly token: string;
  /** Where people find the token. */
  readonly tokenFile: string;
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Writing needs the token always, reading only where others than this machine can ask. */
export function auth({ host, token, tokenFile }: AuthOptions): RequestHandler {
  const readingIsFree = isLoopback(host);
  return (request, _response, next) => {
    if (readingIsFree && READING.has(request.method)) return next();
    const given = /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
    if (given !== undefined && isSame(given, token)) return next();
    const what = given === undefined ? 'A token is missing' : 'The token is not the one of this run';
    throw new Problem(
      401,
      'Unauthorized',
      `${what}. Send "Authorization: Bearer <token>"; the token is in ${tokenFile}, readable by the user who runs the harness.`,
    );
  };
}

/** Hashes have one length, so the comparison takes the same time whatever was given. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
