import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { untilClosed } from './faults.mjs';
import { startsOf } from './services.mjs';
import { atRandomMoment, secondsSince, until } from './until.mjs';

/** Takes a port the moment it is free and answers everything with one status; says when it has begun to try. */
const STRANGER = `
  const [port, status] = process.argv.slice(1).map(Number);
  const server = require('node:http').createServer((_request, response) => {
    response.writeHead(status).end('a stranger');
  });
  const take = () => server.listen(port, '127.0.0.1');
  server.once('error', () => console.log('trying'));
  server.on('error', () => setImmediate(take));
  server.on('listening', () => console.log('taken'));
  take();
`;

const promised = { ticket: [4, 8], blocked: [null, 15] };
const row = (status) => ({
  title: `port taken by a stranger that answers ${status}`,
  program: 'limiter',
  status,
  promised,
});

export const STOLEN_PORT = { port404: row(404), port200: row(200) };

/** Seconds from the kill until a person can read who has the port, and from his leaving until the ticket is closed. */
export async function measureStolenPort({ status }, harness, service) {
  const before = await harness.newestTicket(service.name);
  const { pid } = await harness.service(service.name);
  const startsBefore = await startsOf(service);
  await atRandomMoment();
  const stranger = spawn(process.execPath, ['-e', STRANGER, String(service.port), String(status)], {
    // So that whatever happens he is ended with the harness of this folder.
    env: { BENCH_DIR: harness.dir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(stranger.stdout, 'data');
  const faultAt = Date.now();
  process.kill(pid, 'SIGKILL');
  const { id, created_at } = await until(
    `the ticket of ${service.name} names pid ${stranger.pid}`,
    async () => {
      const newest = await harness.newestTicket(service.name);
      if (!newest || newest.id === before?.id || newest.status !== 'blocked') return null;
      const { escalation } = await harness.get(`/tickets/${newest.id}`);
      return JSON.stringify(escalation).includes(`pid ${stranger.pid} `) ? newest : null;
    },
  );
  const blockedAt = Date.now();
  if (stranger.exitCode !== null || stranger.signalCode !== null) throw new Error('the stranger was ended');

  stranger.kill('SIGTERM');
  await once(stranger, 'exit');
  const leftAt = Date.now();
  const closed = await untilClosed(harness, service.name, before);
  if (closed.id !== id) throw new Error('another ticket was opened for the same fault');
  return {
    ticket: secondsSince(faultAt, Date.parse(created_at)),
    blocked: secondsSince(faultAt, blockedAt),
    closed: secondsSince(leftAt, Date.parse(closed.closed_at)),
    starts: (await startsOf(service)) - startsBefore,
  };
}
