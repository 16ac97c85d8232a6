import type { RequestHandler } from 'express';
import { Problem } from '../problem';

const WILDCARDS = new Set(['0.0.0.0', '::', '[::]']);

export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/**
 * Refuses requests that a foreign web page could have caused: by a name that was made to point here (DNS rebinding), or
 * with an Origin that is not ours. A wildcard host has no name to compare with; there the token guards every route.
 */
export function hostCheck(configuredHost: string): RequestHandler {
  const isOurs = (host: string | null) =>
    host !== null &&
    (isLoopback(host) || host === configuredHost.toLowerCase() || WILDCARDS.has(configuredHost));
  return (request, _response, next) => {
    const host = request.get('host');
    if (!isOurs(hostname(`http://${host ?? ''}`))) {
      throw new Problem(
        421,
        'Misdirected request',
        `Host ${JSON.stringify(host ?? '')} is not a name of this server; use 127.0.0.1 or localhost, or set web.host.`,
      );
    }
    const origin = request.get('origin');
    if (origin !== undefined && !isOurs(hostname(origin))) {
      throw new Problem(
        403,
        'Forbidden',
        `Requests from the web page ${JSON.stringify(origin)} are not allowed.`,
      );
    }
    next();
  };
}

/** Lower case, without port; null when it is no URL. */
function hostname(url: string): string | null {
  if (!URL.canParse(url)) return null;
  return new URL(url).hostname.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}
