import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Message } from '@anthropic-ai/sdk/resources/messages';
import type { Fault } from './faults';
import type { Refusal } from './refusal';

/** One request as it came over the wire, and what became of it. Times are of `performance.now()`. */
export class RecordedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly arrivedAtMs = performance.now();
  /** As it was sent; null until all of it is here, or when it is not JSON. */
  body: object | null = null;
  /** Of the reply; null while there is none. */
  status: number | null = null;
  requestId: string | null = null;
  /** The rule it broke. */
  refusal: Refusal | null = null;
  fault: Fault['kind'] | null = null;
  /** What was, or began to be, sent. */
  reply: Message | null = null;
  endedAtMs: number | null = null;
  /** When the client left before the reply had ended. */
  disconnectedAtMs: number | null = null;

  constructor(request: IncomingMessage) {
    this.method = request.method ?? '';
    this.path = (request.url ?? '').replace(/\?.*$/, '');
    this.headers = request.headers;
  }
}
