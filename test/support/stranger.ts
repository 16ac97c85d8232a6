import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const PROGRAM = `
  const [port, status] = process.argv.slice(1).map(Number);
  const server = require('node:http').createServer((_request, response) => {
    response.writeHead(status).end('a stranger');
  });
  const take = () => server.listen(port, '127.0.0.1');
  server.on('error', () => setImmediate(take));
  server.on('listening', () => console.log('taken'));
  take();
`;

/** A process that takes a port the moment it is free, and answers everything with one status. `taken`: it has it. */
export async function startStranger(
  port: number,
  status: number,
): Promise<{ readonly process: ChildProcess; readonly taken: Promise<unknown> }> {
  const child = spawn(process.execPath, ['-e', PROGRAM, String(port), String(status)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child, 'spawn');
  return { process: child, taken: once(child.stdout, 'data') };
}
