import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Samples } from '../activities/samples';

export interface SamplesServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A page in a browser may resolve its own name to 127.0.0.1; only requests that name loopback themselves are answered. */
const OWN_HOST = /^(127\.0\.0\.1|localhost)(:\d+)?$/;

/** Serves the last samples on loopback: `GET /samples` → `{items, last_sweep_at, last_error}`. Port 0 takes a free one. */
export async function startSamplesServer(samples: Samples, port: number): Promise<SamplesServer> {
  const server = createServer((request, response) => {
    const reply = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    if (!OWN_HOST.test(request.headers.host ?? '')) return reply(403, { error: 'this host is not served' });
    if (request.method !== 'GET' || request.url !== '/samples')
      return reply(404, { error: 'there is only GET /samples' });
    const { items, lastSweepAt, lastError } = samples.read();
    return reply(200, { items, last_sweep_at: lastSweepAt, last_error: lastError });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
