import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from './faults';
import type { RecordedRequest } from './recorded-request';
import { errorBody } from './refusal';
import type { Refusal } from './refusal';
import type { Reply } from './reply';
import { newId } from './reply';
import { STAND_IN_LABEL } from './script';
import { streamEvents } from './stream-events';

/** One reply on its way out. */
export class Answer {
  readonly #requestId = newId('req');

  constructor(
    private readonly response: ServerResponse,
    private readonly record: RecordedRequest,
    /** Aborted when the client leaves or the server closes. */
    private readonly signal: AbortSignal,
  ) {
    record.requestId = this.#requestId;
  }

  json(body: object, status = 200, headers: Readonly<Record<string, string>> = {}): void {
    this.#begin(status, { 'content-type': 'application/json', ...headers });
    this.response.end(JSON.stringify(body));
  }

  refuse(refusal: Refusal, headers: Readonly<Record<string, string>> = {}, details?: object): void {
    this.json(errorBody(refusal, this.#requestId, details), refusal.status, headers);
  }

  /** Event by event; a fault has its say where it is to. */
  async stream(reply: Reply, fault: Fault | null, eventDelayMs: number): Promise<void> {
    this.#begin(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    this.response.flushHeaders();
    const end = fault && 'afterEvents' in fault ? fault : null;
    for (const [index, event] of streamEvents(reply).entries()) {
      if (end && index >= end.afterEvents) break;
      if (eventDelayMs > 0) await sleep(eventDelayMs, undefined, { signal: this.signal });
      this.#event(event);
    }
    if (end?.kind === 'hang') return this.hang();
    if (end?.kind === 'cut') return await this.cut();
    if (end?.kind === 'error_event') {
      const message = end.type === 'overloaded_error' ? 'Overloaded' : 'The stream has failed';
      this.#event(errorBody({ type: end.type, message }, this.#requestId));
    }
    this.response.end();
  }

  /** Until the client leaves or the server closes. */
  hang(): Promise<void> {
    return new Promise((resolve) => this.signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** What was written before goes out first, else the client would see nothing of it. */
  async cut(): Promise<void> {
    if (this.response.headersSent) {
      await new Promise<void>((resolve) => this.response.write(': breaks here\n\n', () => resolve()));
    }
    this.response.destroy();
  }

  #begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.record.status = status;
    this.response.writeHead(status, {
      'request-id': this.#requestId,
      'x-stand-in': STAND_IN_LABEL,
      ...headers,
    });
  }

  #event(event: { readonly type: string }): void {
    this.response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
}
