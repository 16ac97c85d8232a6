import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

interface SeenRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: any;
  /** Resolves when the connection is gone before the answer was complete. */
  readonly closedEarly: Promise<void>;
}

export type Answer = (response: ServerResponse) => void;

/** A server that answers from a script, one answer per request; a request that is not in it gets 418. */
export function startScriptedApi() {
  const script: Answer[] = [];
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const closedEarly = new Promise<void>((resolve) => {
        response.on('close', () => {
          if (!response.writableEnded) resolve();
        });
      });
      seen.push({
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()),
        closedEarly,
      });
      const answer =
        script.shift() ??
        refuse(418, { error: { type: 'invalid_request_error', message: 'not in the script' } });
      answer(response);
    });
  });
  return {
    script,
    seen,
    listen: () =>
      new Promise<string>((resolve) => {
        server.listen(0, '127.0.0.1', () => {
          resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
        });
      }),
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export const REQUEST_ID = 'req_test_1';

export function refuse(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', 'request-id': REQUEST_ID, ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
}

export type Event = { readonly type: string; readonly [key: string]: unknown };

/** Sends events, then ends, destroys the socket, or says nothing more. */
export function stream(events: readonly Event[], ending: 'end' | 'cut' | 'hang' = 'end'): Answer {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': REQUEST_ID });
    response.flushHeaders();
    const text = events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
    response.write(text, () => {
      if (ending === 'end') response.end();
      if (ending === 'cut') response.destroy();
    });
  };
}

const START: Event = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-opus-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 11, output_tokens: 1, cache_read_input_tokens: 7 },
  },
};
const THINKING: readonly Event[] = [
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'hm' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'c2ln' } },
  { type: 'content_block_stop', index: 0 },
];
const TOOL_USE: readonly Event[] = [
  {
    type: 'content_block_start',
    index: 1,
    content_block: {
      type: 'tool_use',
      id: 'toolu_1',
      name: 'read_file',
      input: {},
      caller: { type: 'direct' },
    },
  },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"path":' } },
  { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"a"}' } },
  { type: 'content_block_stop', index: 1 },
];
export const BEGUN: readonly Event[] = [START, ...THINKING];
export const WHOLE: readonly Event[] = [
  ...BEGUN,
  ...TOOL_USE,
  {
    type: 'message_delta',
    delta: { stop_reason: 'tool_use', stop_sequence: null },
    usage: { output_tokens: 40 },
  },
  { type: 'message_stop' },
];
