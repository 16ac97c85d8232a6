import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { HarnessConfig } from '../config/config';
import { errorText } from '../config/error-text';
import { paths } from '../config/paths';
import type { Endpoints } from './endpoints';
import { errorCode } from './error-code';
import { readEndpoints } from './endpoints';

/** No web process answers for this data directory. Exit code 69. */
export class WebUnreachable extends Error {
  override readonly name = 'WebUnreachable';
}

/** The web process took the request and gave no answer in time. Exit code 75. */
export class WebTimeout extends Error {
  override readonly name = 'WebTimeout';
}

/** The web process said no; `message` is what its problem details say (RFC 9457). */
export class WebProblem extends Error {
  override readonly name = 'WebProblem';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export interface WebRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly timeoutMs?: number;
  /** Statuses besides 2xx whose body is an answer, not an error. */
  readonly answers?: readonly number[];
}

export interface WebAnswer {
  readonly status: number;
  /** Parsed JSON; null when there was no body. */
  readonly body: unknown;
}

/** The REST interface of a running harness. Rejects with WebUnreachable, WebTimeout or WebProblem. */
export interface WebClient {
  request(path: string, request?: WebRequest): Promise<WebAnswer>;
}

export interface WebClientOptions {
  readonly dataDir: string;
  /** HARNESS_TOKEN; else the token file of the run is read. */
  readonly token?: string;
  /** Where others than this machine can ask, reading needs the token too. */
  readonly readsNeedToken?: boolean;
  readonly findEndpoints?: (dataDir: string) => Promise<Pick<Endpoints, 'webUrl' | 'supervisorPid'> | null>;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;
const problemDetails = z.object({ title: z.string().optional(), detail: z.string().optional() });

export function webClientFor(config: Pick<HarnessConfig, 'dataDir' | 'web'>): WebClient {
  const { host, token } = config.web;
  return createWebClient({
    dataDir: config.dataDir,
    readsNeedToken: !LOOPBACK.test(host),
    ...(token === undefined ? {} : { token }),
  });
}

export function createWebClient(options: WebClientOptions): WebClient {
  const { dataDir, findEndpoints = readEndpoints } = options;
  const notRunning = () =>
    new WebUnreachable(`no harness is running for ${dataDir}; start it with \`npx harness run\``);
  const noAnswer = (where: string, why: string) =>
    new WebUnreachable(
      `the web process of the harness for ${dataDir} does not answer on ${where} (${why}); ` +
        'see `harness status`, or stop the harness and start it again with `npx harness run`',
    );

  async function send(
    url: URL,
    supervisorPid: number,
    { method = 'GET', body, timeoutMs }: WebRequest,
  ): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    // The token goes only where it is needed: on loopback, another program may have taken the port since.
    if (method !== 'GET' || options.readsNeedToken === true || !LOOPBACK.test(url.hostname)) {
      const token = options.token ?? (await readToken(dataDir));
      if (token !== null) headers['authorization'] = `Bearer ${token}`;
    }
    const deadlineMs = timeoutMs ?? DEFAULT_TIMEOUT_MS;
    try {
      return await fetch(url, {
        method,
        headers,
        redirect: 'error',
        signal: AbortSignal.timeout(deadlineMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      throw isTimeout(error)
        ? new WebTimeout(
            `${method} ${url.href} gave no answer within ${deadlineMs / 1000} s; see \`harness status\``,
          )
        : isAlive(supervisorPid)
          ? noAnswer(url.origin, reasonOf(error))
          : notRunning();
    }
  }

  return {
    async request(path, request = {}) {
      const endpoints = await findEndpoints(dataDir);
      if (endpoints === null) throw notRunning();
      if (endpoints.webUrl === null) throw noAnswer('any port', 'it has not been started');
      const url = new URL(path, endpoints.webUrl);
      for (const [key, value] of Object.entries(request.query ?? {})) {
        if (value !== undefined) url.searchParams.set(key, value);
      }
      const response = await send(url, endpoints.supervisorPid, request);
      const body = await readBody(response, url);
      if (response.ok || request.answers?.includes(response.status)) return { status: response.status, body };
      throw new WebProblem(response.status, problemText(response.status, body));
    },
  };
}

async function readBody(response: Response, url: URL): Promise<unknown> {
  let text: string;
  try {
    text = await response.text();
  } catch (error) {
    throw isTimeout(error)
      ? new WebTimeout(`${url.href} broke off its answer: out of time`)
      : new WebUnreachable(`${url.href} broke off its answer: ${reasonOf(error)}`);
  }
  if (text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    throw new WebProblem(
      response.status,
      `${url.href} answered ${response.status} without JSON; is it another program's port? Start the harness again`,
    );
  }
}

function problemText(status: number, body: unknown): string {
  const parsed = problemDetails.safeParse(body);
  const { title, detail } = parsed.success ? parsed.data : {};
  const parts = [title, detail].filter((part) => part !== undefined && part !== '');
  return parts.length === 0 ? `the web process answered ${status}` : parts.join(': ');
}

async function readToken(dataDir: string): Promise<string | null> {
  const text = await readFile(paths.token(dataDir), 'utf8').catch(() => '');
  return text.trim() === '' ? null : text.trim();
}

/** A harness that was killed leaves its endpoints behind. */
function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

function isTimeout(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  const cause = typeof error === 'object' && error !== null && 'cause' in error ? error.cause : undefined;
  return errorText(cause ?? error);
}
