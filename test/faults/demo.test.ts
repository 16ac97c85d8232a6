import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalExecutable } from '../support/temporal-cli';

jest.setTimeout(150_000);

const SCRIPT = join(__dirname, '../../scripts/demo.mjs');
const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith('harness-demo-'));

/** As `npm run demo` runs it. */
async function demo(...args: string[]) {
  const before = folders();
  const child = spawn(process.execPath, [SCRIPT, ...args], {
    env: {
      PATH: process.env['PATH'],
      HOME: process.env['HOME'],
      NO_COLOR: '1',
      TEMPORAL_CLI_PATH: await temporalExecutable(),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  await once(child, 'close');
  expect(folders()).toEqual(before);
  return { code: child.exitCode, output };
}

it.each(['kill', 'hang', 'dead', 'latency', 'badconfig'])(
  '--fault %s: every promise is kept',
  async (fault) => {
    const { code, output } = await demo('--fault', fault);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain(`breaking rate_limiter: ${fault}`);
    expect(output).not.toMatch(/stand-in/);
  },
);

it('--brain standin: the way through the Messages API, and who the model is, is said before and after', async () => {
  const { code, output } = await demo('--brain', 'standin');
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output.match(/the model (is|was) a scripted stand-in, not Claude/g)).toHaveLength(2);
});

it('what the stand-in cannot play is refused', async () => {
  const { code, output } = await demo('--brain', 'standin', '--fault', 'latency');
  expect(code).toBe(2);
  expect(output).toContain('--brain standin plays kill and hang, not "latency"');
});
