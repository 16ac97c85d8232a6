import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { z } from 'zod';
import { readEndpoints } from '../client/endpoints';
import { builtinConfig, findPackageRoot } from '../config/builtin';
import type { Environment } from '../config/environment';
import { paths } from '../config/paths';
import { freePort } from '../supervisor/free-port';
import { markedProcesses } from '../supervisor/process-table';
import { QUICK_MS } from './demo-faults';
import type { DemoFault } from './demo-faults';
import { CliError, EXIT } from './exit-codes';

const readyLine = z.object({ event: z.literal('ready'), web_url: z.string() });
const SERVICE = 'rate_limiter';
/** The very first start may have to download the Temporal server. */
const START_MS = 300_000;
const STOP_MS = 15_000;
const KEPT_LINES = 60;

/** The service of the demo, as somebody sees it who wants to break it. */
export interface DemoService {
  readonly name: string;
  readonly healthUrl: string;
  readonly configFile: string;
  /** Holds a copy as soon as the service has proved to work with its configuration. */
  readonly knownGood: string;
}

/** A harness of its own: built-in configuration, free ports, a temporary folder. */
export interface DemoHarness {
  readonly folder: string;
  readonly dataDir: string;
  readonly webUrl: string;
  readonly service: DemoService;
  /** Last lines of what it said. */
  readonly lastLines: () => readonly string[];
  /** Ctrl-C, and waits for the end. Resolves with processes that should have ended and have not; they are killed. */
  stop(): Promise<readonly number[]>;
}

export async function startDemoHarness(options: {
  readonly fault: DemoFault;
  readonly env: Environment;
  readonly signal: AbortSignal;
  /** What it says while it starts. */
  readonly onLine: (line: string) => void;
}): Promise<DemoHarness> {
  const folder = await mkdtemp(join(tmpdir(), 'harness-demo-'));
  const dataDir = join(folder, 'data');
  const packageRoot = findPackageRoot();
  const rateLimiterPort = await freePort();
  const file = join(folder, 'harness.yaml');
  const healthUrl = `http://127.0.0.1:${rateLimiterPort}/health`;
  const builtin = builtinConfig({ packageRoot, rateLimiterPort });
  const invariants = [...builtin.invariants, ...(options.fault === 'latency' ? [isQuick(healthUrl)] : [])];
  await writeFile(file, stringify({ ...builtin, invariants, data_dir: dataDir }));

  // A process group of its own: Ctrl-C in the terminal reaches the demo, which then stops the harness in order.
  const child = spawn(process.execPath, [join(packageRoot, 'dist/cli/main.js'), 'run', '--json'], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentFor(options.env, file, dataDir),
  });
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? '?'}`));
  });
  const lines: string[] = [];
  let isReady = false;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (!isReady) options.onLine(line);
    lines.push(line);
    if (lines.length > KEPT_LINES) lines.shift();
  });
  const stop = () => stopHarness(child, exited, dataDir);
  try {
    const webUrl = await waitForReady(child, exited, options.signal);
    isReady = true;
    const service = {
      name: SERVICE,
      healthUrl,
      configFile: join(dataDir, 'services', SERVICE, 'config.json'),
      knownGood: paths.knownGood(dataDir, SERVICE),
    };
    return { folder, dataDir, webUrl, service, lastLines: () => lines, stop };
  } catch (error) {
    await stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** The built-in configuration has no rule about time, so that its one rule stays simple. */
function isQuick(healthUrl: string) {
  return {
    id: `${SERVICE}_fast`,
    name: `${SERVICE}_fast`,
    description: 'Rate limiter answers quickly',
    query: `latency:${healthUrl}`,
    condition: `< ${QUICK_MS}`,
    service: SERVICE,
  };
}

/** The person's environment without what would make it another harness than the built-in one. */
function environmentFor(env: Environment, file: string, dataDir: string): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(
    ([name]) => !/^HARNESS_/.test(name) && (!/^TEMPORAL_/.test(name) || name === 'TEMPORAL_CLI_PATH'),
  );
  return {
    ...Object.fromEntries(kept),
    HARNESS_CONFIG: file,
    HARNESS_DATA_DIR: dataDir,
    HARNESS_WEB_PORT: '0',
    HARNESS_TEMPORAL_PORT: '0',
  };
}

async function waitForReady(
  child: ChildProcess,
  exited: Promise<string>,
  signal: AbortSignal,
): Promise<string> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(START_MS)]);
  const ready = new Promise<string>((resolve, reject) => {
    deadline.addEventListener('abort', () => {
      const why = signal.aborted ? 'stopped' : `the harness was not ready within ${START_MS / 1_000} s`;
      reject(new CliError(why, signal.aborted ? 130 : EXIT.timedOut));
    });
    void exited.then((how) =>
      reject(new CliError(`the harness ended before it was ready (${how})`, EXIT.failure)),
    );
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const parsed = readyLine.safeParse(parseJson(line));
      if (parsed.success) resolve(parsed.data.web_url);
    });
  });
  return ready;
}

async function stopHarness(
  child: ChildProcess,
  exited: Promise<string>,
  dataDir: string,
): Promise<readonly number[]> {
  const endpoints = await readEndpoints(dataDir).catch(() => null);
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), STOP_MS)));
  const ended = await Promise.race([exited, late]);
  clearTimeout(timer);
  const marked = endpoints === null ? [] : markedProcesses(endpoints.runId);
  const left = [...marked, ...(ended === null && child.pid !== undefined ? [child.pid] : [])];
  for (const pid of left) killQuietly(pid);
  if (ended === null) await exited;
  return left;
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
