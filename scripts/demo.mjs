#!/usr/bin/env node
// `npm run demo [-- --fault hang …]`: the product's own demo. With `--brain standin` the agent's model is the stand-in of the
// tests, so that the path through the Messages API can be seen without a key. The product itself knows nothing of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STANDIN_KEY, STANDIN_LABEL, startStandin } from './standin.mjs';

const CLI = join(dirname(fileURLToPath(import.meta.url)), '../dist/cli/main.js');
/** What the stand-in's ladder can play. */
const FAULTS = ['kill', 'hang'];
const USAGE = 2;

const { brain, rest } = readArguments(process.argv.slice(2));
process.exitCode = brain === undefined ? await runDemo({}, rest) : await runWithStandin();

async function runWithStandin() {
  const { server, close } = await startStandin();
  try {
    process.stderr.write(`the model is a ${STANDIN_LABEL}, at ${server.baseUrl}\n`);
    const code = await runDemo({ ANTHROPIC_API_KEY: STANDIN_KEY, ANTHROPIC_BASE_URL: server.baseUrl }, rest);
    for (const problem of server.problems) process.stderr.write(`stand-in: ${problem}\n`);
    const asked = server.messageRequests.length;
    process.stderr.write(`the model was a ${STANDIN_LABEL}; it was asked ${asked} times\n`);
    return server.problems.length === 0 && asked > 0 ? code : 1;
  } finally {
    await close();
  }
}

async function runDemo(environment, args) {
  const child = spawn(process.execPath, [CLI, 'demo', ...args], {
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  // A terminal sends Ctrl-C to both: the demo stops its harness in order, and this waits for it.
  const ignore = () => undefined;
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore).on('SIGTERM', pass);
  try {
    const [code, signal] = await once(child, 'exit');
    return signal === null ? code : 1;
  } finally {
    process.off('SIGINT', ignore).off('SIGTERM', pass);
  }
}

function readArguments(args) {
  const { values, tokens } = parseArgs({
    args,
    strict: false,
    tokens: true,
    options: { brain: { type: 'string' }, fault: { type: 'string' } },
  });
  const { brain, fault = 'kill' } = values;
  if (brain !== undefined && brain !== 'standin') {
    refuse(`--brain: expected standin, got "${brain}"; leave it out for the brain of your configuration`);
  }
  if (brain !== undefined && !FAULTS.includes(fault)) {
    refuse(`--brain standin plays ${FAULTS.join(' and ')}, not "${fault}"; leave --brain out`);
  }
  const isBrain = new Set(
    tokens.flatMap((token) =>
      token.kind === 'option' && token.name === 'brain'
        ? [token.index, ...(token.inlineValue === false ? [token.index + 1] : [])]
        : [],
    ),
  );
  return { brain, rest: args.filter((_arg, index) => !isBrain.has(index)) };
}

function refuse(message) {
  process.stderr.write(`${message}\n`);
  process.exit(USAGE);
}
