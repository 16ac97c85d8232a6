import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { pause, until } from './until.mjs';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const RATE_LIMITER = join(ROOT, 'dist/service/main.js');
/** Has a route that blocks its event loop for good. */
const BLOCKABLE = join(ROOT, 'test/support/services/faulty-service.js');

/** What a peer is given too: the same programs with the same settings. */
export function serviceSpecs(dir, ports) {
  return {
    rate_limiter: {
      command: [process.execPath, RATE_LIMITER],
      env: { RATE_LIMITER_PORT: String(ports.rate_limiter), RATE_LIMITER_CONFIG: join(dir, 'limiter.json') },
    },
    blockable: {
      command: [process.execPath, BLOCKABLE],
      env: { PORT: String(ports.blockable), STARTS_FILE: join(dir, 'blockable.starts') },
    },
  };
}

export async function makePorts() {
  return { rate_limiter: await freePort(), blockable: await freePort() };
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** `harness run` on free ports in a temporary folder, seen from outside: process, API, /proc. */
export class BenchHarness {
  static async create() {
    const harness = new BenchHarness();
    harness.dir = await mkdtemp(join(tmpdir(), 'harness-bench-'));
    harness.ports = await makePorts();
    const services = serviceSpecs(harness.dir, harness.ports);
    const config = {
      version: 1,
      data_dir: join(harness.dir, 'data'),
      services: Object.fromEntries(
        Object.entries(services).map(([name, spec]) => [
          name,
          { description: name, ...spec, ready: { url: harness.healthUrl(name), timeout: '30s' } },
        ]),
      ),
      invariants: Object.keys(services).map((name) => ({
        id: `${name}_healthy`,
        name: `${name}_healthy`,
        description: `${name} answers`,
        query: harness.healthUrl(name),
        condition: 'status == 200',
        service: name,
        priority: 'high',
      })),
    };
    await writeFile(join(harness.dir, 'harness.yaml'), stringify(config));
    return harness;
  }

  healthUrl(name) {
    return `http://127.0.0.1:${this.ports[name]}/health`;
  }

  /** Seconds from the start of the process to its `ready`. */
  async start() {
    const startedMs = performance.now();
    this.child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'run', '--json'], {
      cwd: this.dir,
      env: { ...cleanEnvironment(), HARNESS_WEB_PORT: '0', HARNESS_TEMPORAL_PORT: '0', BENCH_DIR: this.dir },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.webUrl = await new Promise((resolve, reject) => {
      void this.ended.then((code) => reject(new Error(`harness run ended with ${code}`)));
      createInterface({ input: this.child.stdout }).on('line', (line) => {
        const parsed = JSON.parse(line);
        if (parsed.event === 'ready') resolve(parsed.web_url);
      });
    });
    return (performance.now() - startedMs) / 1_000;
  }

  async stop() {
    this.child?.kill('SIGINT');
    await this.ended;
  }

  async dispose() {
    await this.stop();
    for (const { pid } of await this.processes()) process.kill(pid, 'SIGKILL');
    await rm(this.dir, { recursive: true, force: true });
  }

  async get(path) {
    const response = await fetch(`${new URL(this.webUrl).origin}/api/v1${path}`);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return await response.json();
  }

  async untilUp() {
    await until('everything is up', async () => {
      const { items } = await this.get('/invariants');
      return items.length > 0 && items.every(({ state }) => state === 'up');
    });
    await pause(200);
  }

  async pidOf(name) {
    return (await this.get('/services')).items.find((service) => service.name === name).pid;
  }

  /** Every process that carries this folder in its environment or command line. */
  async processes() {
    const pids = (await readdir('/proc')).filter(
      (name) => /^\d+$/.test(name) && Number(name) !== process.pid,
    );
    const found = [];
    for (const pid of pids) {
      try {
        const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
        const all = command + (await readFile(`/proc/${pid}/environ`, 'utf8'));
        if (command !== '' && all.includes(this.dir)) found.push({ pid: Number(pid), command });
      } catch {
        // It ended meanwhile, or belongs to somebody else.
      }
    }
    return found;
  }
}

function cleanEnvironment() {
  const ours = ([name]) => !/^(HARNESS|TEMPORAL)_/.test(name) || name === 'TEMPORAL_CLI_PATH';
  return Object.fromEntries(Object.entries(process.env).filter(ours));
}
