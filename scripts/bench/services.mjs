import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** What is watched, under harness and peers alike. Each counts its own starts, one line each. */
const PROGRAMS = {
  limiter: (dir, port) => ({
    command: [process.execPath, join(ROOT, 'dist/service/main.js')],
    env: { RATE_LIMITER_PORT: String(port), RATE_LIMITER_CONFIG: join(dir, 'config.json') },
    configFile: join(dir, 'config.json'),
    startsFile: join(dir, 'starts.ndjson'),
  }),
  /** Has a route that blocks its event loop for good, and can take its time to boot. */
  faulty: (dir, port) => ({
    command: [process.execPath, join(ROOT, 'test/support/services/faulty-service.js')],
    env: {
      PORT: String(port),
      STARTS_FILE: join(dir, 'starts'),
      BOOT_MS_FILE: join(dir, 'boot-ms'),
    },
    configFile: null,
    startsFile: join(dir, 'starts'),
    bootMsFile: join(dir, 'boot-ms'),
  }),
};

/** A service of its own with a folder and a free port of its own. */
export async function makeService(parent, name, program) {
  const dir = join(parent, name);
  await mkdir(dir, { recursive: true });
  const port = await freePort();
  return {
    name,
    dir,
    port,
    healthUrl: `http://127.0.0.1:${port}/health`,
    ...PROGRAMS[program](dir, port),
  };
}

export async function startsOf({ startsFile }) {
  return (await readFile(startsFile, 'utf8')).trim().split('\n').length;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
