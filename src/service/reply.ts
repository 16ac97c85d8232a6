import { STATUS_CODES } from 'node:http';

/** What a route answers; sending it is the server's business. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function json(status: number, value: object, headers: Reply['headers'] = {}): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(value), headers };
}

/** RFC 9457 problem details. `detail` must not contain text of the client. */
export function problem(
  status: number,
  detail: string,
  more: { readonly field?: string; readonly headers?: Reply['headers'] } = {},
): Reply {
  const { headers = {}, ...members } = more;
  const value = { type: 'about:blank', title: STATUS_CODES[status], status, detail, ...members };
  return { ...json(status, value, headers), contentType: 'application/problem+json' };
}
