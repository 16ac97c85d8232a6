import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Whether nobody listens there; a `port` of 0 is always free. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return (await tryListen(port, host)) !== null;
}

/** Linux takes ports of outgoing connections from 32768 on: one from below is taken by nobody who does not ask for it. */
const FIRST_PORT = 10_240;
const LAST_PORT = 32_767;
const MAX_TRIES = 50;

/** A port nobody listens on now; the caller should use it soon. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (await isPortFree(port, host)) return port;
  }
  const port = await tryListen(0, host);
  if (port === null) throw new Error(`no free port on ${host}`);
  return port;
}

/** The port that could be bound, or null when it is taken; throws when the host itself cannot be used. */
function tryListen(port: number, host: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const bound = address !== null && typeof address === 'object' ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
}
