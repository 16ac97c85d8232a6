import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transformFile } from '@swc/core';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOURCE = join(ROOT, 'test/support/claude-server');

/** The only key that it lets in. */
export const STANDIN_KEY = 'sk-ant-stand-in-0000000000';
export const STANDIN_LABEL = 'scripted stand-in, not Claude';

/**
 * Starts the stand-in for the Messages API, which is test support and no part of the product: it plays the runbook's ladder, or
 * a script, which gets the ladder as its second argument; every text of it says what it is. Resolves with the server and with
 * `close`, which leaves nothing behind.
 */
export async function startStandin({ script, ...options } = {}) {
  // Inside the project, so that its packages resolve.
  const folder = await mkdtemp(join(ROOT, '.build-standin-'));
  try {
    await compile(folder);
    const load = createRequire(join(folder, 'index.js'));
    const { startClaudeServer } = load('./server.js');
    const { runbookPlayer } = load('./runbook-player.js');
    const ladder = runbookPlayer();
    const server = await startClaudeServer({
      ...options,
      script: (request) => (script ? script(request, ladder) : ladder(request)),
      apiKey: STANDIN_KEY,
      textPrefix: `[${STANDIN_LABEL}] `,
    });
    const close = async () => {
      await server.close();
      await rm(folder, { recursive: true, force: true });
    };
    return { server, close };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function compile(folder) {
  const names = await readdir(SOURCE, { recursive: true });
  for (const name of names.filter((file) => file.endsWith('.ts'))) {
    const { code } = await transformFile(join(SOURCE, name), {
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    const target = join(folder, name.replace(/\.ts$/, '.js'));
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, code);
  }
}
