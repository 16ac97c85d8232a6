import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { defaultVerdict } from './analyst';
import { Answer } from './answer';
import { FaultLine } from './faults';
import type { Fault } from './faults';
import { betasOf, checkHeaders, parseObject, readBody, TOO_LARGE } from './http';
import { IssuedReplies } from './issued-replies';
import { describeModel, findModel, listModels } from './models';
import { countPrompt, PromptCache } from './prompt-cache';
import { RecordedRequest } from './recorded-request';
import { invalid } from './refusal';
import type { Refusal } from './refusal';
import { createReply } from './reply';
import type { Reply } from './reply';
import { checkTurn, ScriptProblem, STAND_IN_LABEL, takeTurn } from './script';
import type { Script, ScriptedTurn } from './script';
import type { ClaudeRequest } from './request';
import { validate } from './validate';
import type { ValidRequest } from './validate';

export interface ClaudeServerOptions {
  /** Says what answers a request for the next turn of a conversation. */
  readonly script?: Script;
  /** Says what answers a request with `output_config.format`; left out, a verdict that fits its schema. */
  readonly verdict?: Script;
  readonly faults?: readonly { readonly fault: Fault; readonly at?: number }[];
  /** Before the first byte of a reply of POST /v1/messages. */
  readonly latencyMs?: number;
  /** Keeps the reply back until it resolves; left out, or without a promise, the reply goes out at once. */
  readonly hold?: (request: ClaudeRequest) => Promise<void> | null;
  /** Before each event of a stream. */
  readonly eventDelayMs?: number;
  /** The only key that is let in. */
  readonly apiKey?: string;
  /** Before each text and thought of a script. */
  readonly textPrefix?: string;
  /** The cache's clock, in milliseconds. */
  readonly now?: () => number;
}

/** A strict stand-in for the Messages API on a free loopback port. It is not Claude, and says so in every reply. */
export async function startClaudeServer(options: ClaudeServerOptions = {}): Promise<ClaudeServer> {
  const server = new ClaudeServer(options);
  await server.listen();
  return server;
}

export class ClaudeServer {
  /** Everything that was asked, oldest first. */
  readonly requests: RecordedRequest[] = [];
  /** What a test must not overlook: the script ran out, or did not fit what was asked. */
  readonly problems: string[] = [];
  latencyMs: number;
  eventDelayMs: number;
  readonly #faults = new FaultLine();
  readonly #turnFaults = new FaultLine();
  readonly #issued = new IssuedReplies();
  readonly #cache = new PromptCache();
  readonly #closing = new AbortController();
  readonly #server: Server;

  constructor(private readonly options: ClaudeServerOptions) {
    this.latencyMs = options.latencyMs ?? 0;
    this.eventDelayMs = options.eventDelayMs ?? 0;
    for (const { fault, at } of options.faults ?? []) this.#faults.add(fault, at);
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** For the SDK's `baseURL`. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The requests of POST /v1/messages only. */
  get messageRequests(): readonly RecordedRequest[] {
    return this.requests.filter(({ method, path }) => method === 'POST' && path === '/v1/messages');
  }

  /** Those of them that ask for the next turn of a conversation, as far as they could be read. */
  get turnRequests(): readonly RecordedRequest[] {
    return this.messageRequests.filter(({ body }) => body !== null && !asksForVerdict(body));
  }

  /** `at`: the n-th POST /v1/messages of all, counted from 1; left out: the next one. */
  inject(fault: Fault, at?: number): void {
    this.#faults.add(fault, at);
  }

  /** `at`: the n-th of `turnRequests`, counted from 1. */
  injectInTurn(fault: Fault, at: number): void {
    this.#turnFaults.add(fault, at);
  }

  /** Faults that have not come yet do not come any more. */
  clearFaults(): void {
    this.#faults.clear();
    this.#turnFaults.clear();
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }

  close(): Promise<void> {
    this.#closing.abort();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    return closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const record = new RecordedRequest(request);
    this.requests.push(record);
    const gone = new AbortController();
    response.once('close', () => {
      record.endedAtMs = performance.now();
      const isOurs = record.fault === 'cut' || this.#closing.signal.aborted;
      if (!response.writableFinished && !isOurs) record.disconnectedAtMs = record.endedAtMs;
      gone.abort();
    });
    const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
    const answer = new Answer(response, record, signal);
    try {
      await this.#answer(request, record, answer, signal);
    } catch (error) {
      if (signal.aborted || request.errored) return;
      this.#reportProblem(error, answer);
    }
  }

  /** Loud, and not worth a retry: another try would only find the same. */
  #reportProblem(error: unknown, answer: Answer): void {
    const message = error instanceof Error ? error.message : String(error);
    this.problems.push(message);
    answer.refuse(
      { status: 500, type: 'api_error', message: `${STAND_IN_LABEL}: ${message}` },
      { 'x-should-retry': 'false' },
    );
  }

  async #answer(
    request: IncomingMessage,
    record: RecordedRequest,
    answer: Answer,
    signal: AbortSignal,
  ): Promise<void> {
    const refuse = (refusal: Refusal) => {
      record.refusal = refusal;
      answer.refuse(refusal);
    };
    const { text, isTooLarge } = await readBody(request);
    const badHeaders = checkHeaders(request.headers, this.options.apiKey ?? null);
    if (badHeaders) return refuse(badHeaders);
    const { method, path } = record;
    const modelId = /^\/v1\/models(?:\/(.+))?$/.exec(path);
    if (method === 'GET' && modelId) {
      const model = modelId[1] === undefined ? null : findModel(decodeURIComponent(modelId[1]));
      if (model) return answer.json(describeModel(model, STAND_IN_LABEL));
      if (modelId[1] === undefined) return answer.json(listModels(STAND_IN_LABEL));
      return refuse({ status: 404, type: 'not_found_error', message: `model: ${modelId[1]}` });
    }
    const isCount = path === '/v1/messages/count_tokens';
    if (method !== 'POST' || (path !== '/v1/messages' && !isCount)) {
      return refuse({ status: 404, type: 'not_found_error', message: 'Not Found' });
    }
    if (isTooLarge) return refuse(TOO_LARGE);
    const body = parseObject(text);
    if (!body) return refuse(invalid('The request body is not valid JSON'));
    record.body = body;
    const context = { betas: betasOf(request.headers), issued: this.#issued };
    const valid = validate(isCount ? 'count_tokens' : 'messages', body, context);
    if ('refusal' in valid) return refuse(valid.refusal);
    if (isCount) return answer.json({ input_tokens: countPrompt(valid.request) });
    await this.#speak(valid, record, answer, signal);
  }

  async #speak(
    valid: ValidRequest,
    record: RecordedRequest,
    answer: Answer,
    signal: AbortSignal,
  ): Promise<void> {
    const inTurn = this.#turnFaults.take(this.turnRequests.indexOf(record) + 1);
    const fault = inTurn ?? this.#faults.take(this.messageRequests.indexOf(record) + 1);
    record.fault = fault?.kind ?? null;
    if (this.latencyMs > 0) await sleep(this.latencyMs, undefined, { signal });
    const held = this.options.hold?.(valid.request) ?? null;
    if (held) await Promise.race([held, whenAborted(signal)]);
    if (fault?.kind === 'http') return answer.refuse(fault, fault.headers, fault.details);
    const isStream = valid.request.stream === true;
    if (fault?.kind === 'hang' && (!isStream || fault.afterEvents === 0)) return await answer.hang();
    if (fault?.kind === 'cut' && !isStream) return await answer.cut();
    if ((fault?.kind === 'error_event' || fault?.kind === 'early_end') && !isStream) {
      throw new ScriptProblem(`the fault ${fault.kind} needs a stream`);
    }
    const reply = this.#reply(valid, fault);
    record.reply = reply.message;
    this.#issued.remember(reply.blocks);
    if (isStream) await answer.stream(reply, fault, this.eventDelayMs);
    else answer.json(reply.message);
  }

  #reply({ request, model }: ValidRequest, fault: Fault | null): Reply {
    const scripted = () => this.#scripted(request);
    const turn = fault?.kind === 'turn' ? fault.change(scripted) : scripted();
    checkTurn(turn, request);
    return createReply(turn, request, {
      model,
      prompt: this.#cache.take(request, model, (this.options.now ?? performance.now.bind(performance))()),
      prefix: this.options.textPrefix ?? `[${STAND_IN_LABEL}] `,
    });
  }

  #scripted(request: ValidRequest['request']): ScriptedTurn {
    if (asksForVerdict(request)) return takeTurn(this.options.verdict ?? defaultVerdict, request);
    return takeTurn(this.options.script, request);
  }
}

/** Of a body that may have any shape. */
function asksForVerdict(body: object): boolean {
  const config = 'output_config' in body ? body.output_config : null;
  return typeof config === 'object' && config !== null && 'format' in config && config.format !== null;
}

/** Rejects then, and never resolves. */
function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}
