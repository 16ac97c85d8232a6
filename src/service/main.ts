#!/usr/bin/env node
import { destination } from 'pino';

import { createLog } from './log';
import { StartError } from './start-error';
import { startService } from './start-service';

async function main(): Promise<void> {
  // Synchronous: the last line before an exit is the one that matters.
  const service = await startService(process.env, createLog(destination({ fd: 1, sync: true })));
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // Once: a second signal ends the process at once.
    process.once(signal, () => void service.stop().then(() => process.exit(0)));
  }
}

main().catch((error: unknown) => {
  const text =
    error instanceof StartError ? error.message : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`rate-limiter: ${text}\n`);
  process.exitCode = 1;
});
