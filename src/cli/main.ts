#!/usr/bin/env node
import { errorCode } from '../client/error-code';
import { runCli } from './run-cli';

const { stdout, stderr } = process;
for (const stream of [stdout, stderr]) {
  stream.on('error', (error) => {
    // A reader that has seen enough (`| head`) is no failure.
    if (errorCode(error) !== 'EPIPE') throw error;
  });
}

/** A pipe takes what its reader has room for; the rest of a long answer would be lost with the process. */
const written = (stream: NodeJS.WriteStream) =>
  new Promise<void>((resolve) => stream.write('', () => resolve()));

void runCli(process.argv.slice(2), { out: stdout, err: stderr }).then(async (code) => {
  await Promise.all([written(stdout), written(stderr)]);
  // The command has ended: a handle that some library leaves open must not keep the process.
  process.exit(code);
});
