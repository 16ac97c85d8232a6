import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { createControlClient } from '../../src/client/control-client';
import { paths } from '../../src/config/paths';
import { freePort } from '../../src/supervisor/free-port';
import { temporalExecutable } from './temporal-cli';

export { freePort };
import { waitFor } from './wait-for';

const ROOT = join(__dirname, '../..');
const CLI = join(ROOT, 'dist/cli/main.js');

export interface Json {
  [key: string]: any;
}

/** One directory with a harness.yaml on free ports, in which the real product can be started, killed and started again. */
export class HarnessWorkspace {
  readonly dir = mkdtempSync(join(tmpdir(), 'harness-e2e-'));
  readonly dataDir = join(this.dir, 'data');
  readonly children: ChildProcess[] = [];
  /** Laid over the environment of every process started here; undefined removes a variable. */
  readonly env: NodeJS.ProcessEnv = {};
  /** The command that is started. */
  cliFile = CLI;
  servicePort = 0;
  output = '';

  static async create(change: (config: Json) => void = () => undefined): Promise<HarnessWorkspace> {
    const workspace = new HarnessWorkspace();
    workspace.servicePort = await freePort();
    const config = demoConfig(workspace);
    change(config);
    workspace.writeConfig(config);
    return workspace;
  }

  writeConfig(config: Json | string): void {
    writeFileSync(join(this.dir, 'harness.yaml'), typeof config === 'string' ? config : stringify(config));
  }

  /** Runs a command of the CLI to its end. */
  async cli(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = await this.spawn(args);
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // Not its exit: what it has written may still be in the pipes then.
    await once(child, 'close');
    return { code: child.exitCode, stdout, stderr };
  }

  /** Starts a long-running command; its output is kept in `output`. */
  async start(...args: string[]): Promise<ChildProcess> {
    const child = await this.spawn(args);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    }
    return child;
  }

  /** Starts `harness run` and waits until it is ready. */
  async run(...flags: string[]): Promise<ChildProcess> {
    rmSync(join(this.dataDir, 'run', 'endpoints.json'), { force: true });
    const child = await this.start('run', ...flags);
    await waitFor(
      'harness run is ready',
      () => {
        if (child.exitCode !== null)
          throw new Error(`it exited with ${child.exitCode}:\n${this.output.slice(-3_000)}`);
        return Promise.resolve(
          this.endpoints()?.['web_url'] ? this.api('GET', '/ready', undefined, '') : null,
        ).then((answer) => answer?.status === 200);
      },
      { limitMs: 60_000, everyMs: 100 },
    );
    return child;
  }

  endpoints(): Json | null {
    try {
      return JSON.parse(readFileSync(join(this.dataDir, 'run', 'endpoints.json'), 'utf8')) as Json;
    } catch {
      return null;
    }
  }

  async api(
    method: string,
    path: string,
    body?: unknown,
    prefix = '/api/v1',
  ): Promise<{ status: number; body: Json }> {
    const base = String(this.endpoints()?.['web_url']);
    const token = method === 'GET' ? '' : readFileSync(join(this.dataDir, 'run', 'token'), 'utf8').trim();
    const response = await fetch(`${new URL(base).origin}${prefix}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as Json };
  }

  async service(): Promise<Json> {
    const { body } = await this.api('GET', '/services');
    return (body['items'] as Json[]).find((item) => item['name'] === 'rate_limiter') ?? {};
  }

  /** Pid of a process of the harness itself: `monitor`, `agent`, `web`, `temporal`. */
  async componentPid(name: string): Promise<number> {
    const { components } = await createControlClient(paths.controlSocket(this.dataDir)).snapshot();
    const pid = components.find((component) => component.name === name)?.pid;
    if (!pid) throw new Error(`${name} does not run: ${JSON.stringify(components)}`);
    return pid;
  }

  async tickets(query = ''): Promise<Json[]> {
    const { body } = await this.api('GET', `/tickets${query}`);
    return body['items'] as Json[];
  }

  /** Waits until the invariant is up: from then on a fault is a fault. */
  async untilUp(id = 'rate_limiter_healthy'): Promise<void> {
    await waitFor(
      `${id} is up`,
      async () => (await this.api('GET', `/invariants/${id}`)).body['state'] === 'up',
      {
        limitMs: 30_000,
        everyMs: 100,
      },
    );
  }

  /** Starts of the rate limiter as it counted them itself. */
  serviceStarts(): number {
    const file = join(this.dataDir, 'services', 'rate_limiter', 'starts.ndjson');
    return readFileSync(file, 'utf8').trim().split('\n').length;
  }

  /** Processes that belong to this workspace: they mention its directory in their command or environment. */
  processes(): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .filter((pid) => {
        try {
          return ['environ', 'cmdline'].some((file) =>
            readFileSync(`/proc/${pid}/${file}`, 'utf8').includes(this.dir),
          );
        } catch {
          return false;
        }
      })
      .filter((pid) => !readState(pid).startsWith('Z'))
      .map(Number);
  }

  async dispose(): Promise<void> {
    for (const child of this.children)
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGINT');
    await Promise.all(this.children.map((child) => exitOf(child)));
    for (const pid of this.processes()) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }

  private async spawn(args: string[]): Promise<ChildProcess> {
    const child = spawn(process.execPath, [this.cliFile, ...args], {
      cwd: this.dir,
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        LANG: 'C.UTF-8',
        NO_COLOR: '1',
        HARNESS_TEMPORAL_PORT: '0',
        HARNESS_WEB_PORT: '0',
        TEMPORAL_CLI_PATH: await temporalExecutable(),
        E2E_WORKSPACE: this.dir,
        ...this.env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.children.push(child);
    return child;
  }
}

export function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
}

function demoConfig(workspace: HarnessWorkspace): Json {
  const port = workspace.servicePort;
  return {
    version: 1,
    data_dir: workspace.dataDir,
    services: {
      rate_limiter: {
        description: 'Token-bucket rate limiter',
        command: [process.execPath, join(ROOT, 'dist/service/main.js')],
        cwd: workspace.dir,
        env: {
          RATE_LIMITER_PORT: String(port),
          RATE_LIMITER_CONFIG: '${data_dir}/services/rate_limiter/config.json',
        },
        ready: { url: `http://127.0.0.1:${port}/health`, timeout: '30s' },
        metrics_url: `http://127.0.0.1:${port}/metrics`,
      },
    },
    invariants: [
      {
        id: 'rate_limiter_healthy',
        name: 'rate_limiter_healthy',
        description: 'Rate limiter responds to health checks',
        query: `http://127.0.0.1:${port}/health`,
        condition: 'status == 200',
        service: 'rate_limiter',
        priority: 'high',
      },
    ],
  };
}

function readState(pid: string): string {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
  } catch {
    return 'Z';
  }
}
