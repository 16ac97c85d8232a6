import type { Response } from 'express';

export interface ProblemOptions {
  /** Seconds; sent as Retry-After. */
  readonly retryAfterS?: number;
  /** Extension members of the problem document. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An answer that is not a success, as RFC 9457 describes it. `detail` says what was wrong and what to do next. */
export class Problem extends Error {
  override readonly name = 'Problem';
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly options: ProblemOptions = {},
  ) {
    super(`${title}: ${detail}`);
  }
}

export function sendProblem(response: Response, problem: Problem): void {
  const { status, title, detail, options } = problem;
  if (options.retryAfterS !== undefined) response.set('Retry-After', String(options.retryAfterS));
  if (status === 401) response.set('WWW-Authenticate', 'Bearer realm="harness"');
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ type: 'about:blank', title, status, detail, ...options.members }));
}

export const notFound = (what: string, wayOut: string): Problem =>
  new Problem(404, 'Not found', `There is no ${what}. ${wayOut}`);
