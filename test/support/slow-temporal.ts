import { once } from 'node:events';
import type {
  ClientHttp2Session,
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2';
import { connect, constants, createServer } from 'node:http2';
import { gunzipSync } from 'node:zlib';
import type { CallRule } from './grpc-call';
import { HeldCall } from './grpc-call';

interface Answer {
  readonly headers: IncomingHttpHeaders & IncomingHttpStatusHeader;
  readonly body: Buffer;
  /** Null when the headers were the whole answer. */
  readonly trailers: IncomingHttpHeaders | null;
}

/**
 * Stands between one worker process and a Temporal server. Every call passes unchanged, until a test holds one: the server
 * then is as slow as the test wants, and the product knows no difference. Calls are unary, so each is read as a whole.
 */
export class SlowTemporal {
  private readonly server = createServer();
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly held = new Set<HeldCall>();
  private readonly methods = new Set<string>();

  private constructor(private readonly target: string) {
    this.server.on('session', (session) => this.pair(session));
  }

  /** `target`: host:port of the server. */
  static async start(target: string): Promise<SlowTemporal> {
    const proxy = new SlowTemporal(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get address(): string {
    const address = this.server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the proxy does not listen');
    return `127.0.0.1:${address.port}`;
  }

  /** Whether a call of this method has come through. */
  hasSeen(method: string): boolean {
    return this.methods.has(method);
  }

  /** Holds one call from now on. */
  hold(rule: CallRule): HeldCall {
    const held = new HeldCall(rule);
    this.held.add(held);
    return held;
  }

  /** Lets every call pass, and holds no more. */
  release(): void {
    for (const held of this.held) held.release();
    this.held.clear();
  }

  /** Breaks every connection, held calls included, and takes no new ones. */
  async close(): Promise<void> {
    for (const held of this.held) held.drop();
    this.server.close();
    for (const session of this.sessions) session.destroy();
    if (this.server.listening) await once(this.server, 'close');
  }

  /** One connection of the worker is one connection to the server: each ends with the other. */
  private pair(session: ServerHttp2Session): void {
    const upstream = connect(`http://${this.target}`);
    this.sessions.add(session);
    session.on('error', () => undefined);
    session.on('close', () => {
      this.sessions.delete(session);
      upstream.destroy();
    });
    upstream.on('error', () => undefined);
    upstream.on('close', () => session.destroy());
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      this.pass(stream, headers, upstream).catch(() => stream.close(constants.NGHTTP2_CANCEL));
    });
  }

  private async pass(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    upstream: ClientHttp2Session,
  ): Promise<void> {
    const body = await readAll(stream);
    const method = headers[':path']?.split('/').at(-1) ?? '';
    this.methods.add(method);
    const text = message(body);
    const held = [...this.held].find((candidate) => candidate.takes(method, text));
    await held?.reachRequest();
    const answer = await ask(upstream, headers, body, stream);
    await held?.reachResponse();
    reply(stream, answer);
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** What a gRPC frame carries: flag (compressed or not), length, bytes. */
function message(frame: Buffer): Buffer {
  const bytes = frame.subarray(5);
  return frame[0] === 1 ? gunzipSync(bytes) : bytes;
}

async function ask(
  upstream: ClientHttp2Session,
  headers: IncomingHttpHeaders,
  body: Buffer,
  caller: ServerHttp2Stream,
): Promise<Answer> {
  if (caller.destroyed) throw new Error('the caller has gone');
  const request = upstream.request({ ...headers });
  const cancel = (): void => request.close(constants.NGHTTP2_CANCEL);
  caller.once('close', cancel);
  try {
    let trailers: Answer['trailers'] = null;
    request.once('trailers', (received) => {
      trailers = received;
    });
    request.end(body);
    const received = await new Promise<Answer['headers']>((resolve, reject) => {
      request.once('response', resolve);
      request.once('error', reject);
      request.once('close', () => reject(new Error('the server has gone')));
    });
    return { headers: received, body: await readAll(request), trailers };
  } finally {
    caller.off('close', cancel);
  }
}

function reply(stream: ServerHttp2Stream, { headers, body, trailers }: Answer): void {
  if (trailers === null) {
    stream.respond(headers, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}
