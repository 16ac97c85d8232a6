import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { stringify } from 'yaml';
import { mustGoOn, own } from './ending.mjs';
import { killProcessesOf } from './processes.mjs';
import { makeService, ROOT } from './services.mjs';
import { pause, until } from './until.mjs';

/** The same service is broken twenty times within minutes, which in life would be twenty incidents. Null: the default. */
const RESTART_LIMIT = { relapses: 1000, within: '1m' };
const RUNBOOK = { brain: 'runbook' };
const STOP_LIMIT_MS = 30_000;

/** `harness run` on free ports in a temporary folder, seen from outside: process, API, files, /proc. */
export class BenchHarness {
  /**
   * `services`: name → program; each is watched by `status == 200` on its /health. `rules`: further invariants of a service,
   * made from it. `invariants`: what belongs to no service. `agent`: the section of the configuration. `env`: for `harness run`.
   */
  static async create({ services = {}, rules = {}, invariants = [], agent = RUNBOOK, env = {} }) {
    const harness = new BenchHarness();
    harness.dir = await mkdtemp(join(tmpdir(), 'harness-bench-'));
    harness.release = own(() => harness.dispose());
    harness.services = {};
    harness.env = env;
    for (const [name, program] of Object.entries(services)) {
      harness.services[name] = await makeService(harness.dir, name, program);
    }
    const all = Object.values(harness.services);
    const config = {
      version: 1,
      data_dir: join(harness.dir, 'data'),
      agent,
      services: Object.fromEntries(all.map((service) => [service.name, serviceConfig(service)])),
      invariants: [
        ...all.flatMap((service) => [health(service), ...(rules[service.name]?.(service) ?? [])]),
        ...invariants,
      ],
    };
    await writeFile(join(harness.dir, 'harness.yaml'), stringify(config));
    return harness;
  }

  /** A harness that runs, with every service known to be well, and its files known to be good. */
  static async launch(config) {
    const harness = await BenchHarness.create(config);
    try {
      await harness.start();
      await harness.untilUp();
      await harness.untilKnownGood();
      return harness;
    } catch (error) {
      await harness.dispose();
      throw error;
    }
  }

  /** Seconds from the start of the process to its `ready`. */
  async start() {
    mustGoOn();
    const startedMs = performance.now();
    const child = spawn(process.execPath, [join(ROOT, 'dist/cli/main.js'), 'run', '--json'], {
      cwd: this.dir,
      env: {
        ...cleanEnvironment(),
        ...this.env,
        HARNESS_WEB_PORT: '0',
        HARNESS_TEMPORAL_PORT: '0',
        BENCH_DIR: this.dir,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.ended = new Promise((resolve) => child.once('exit', resolve));
    let lastWords = '';
    child.stderr.on('data', (chunk) => {
      lastWords = (lastWords + String(chunk)).slice(-500);
    });
    this.webUrl = await new Promise((resolve, reject) => {
      void this.ended.then((code) =>
        reject(new Error(`harness run ended with ${code}: ${lastWords.trim()}`)),
      );
      createInterface({ input: child.stdout }).on('line', (line) => {
        const parsed = JSON.parse(line);
        if (parsed.event === 'ready') resolve(parsed.web_url);
      });
    });
    return (performance.now() - startedMs) / 1_000;
  }

  async stop() {
    if (!this.child) return;
    this.child.kill('SIGINT');
    await Promise.race([this.ended, pause(STOP_LIMIT_MS)]);
  }

  /** Ends everything that carries this folder, strangers included, and removes it. */
  async dispose() {
    this.disposal ??= (async () => {
      await this.stop();
      await killProcessesOf(this.dir);
      await rm(this.dir, { recursive: true, force: true, maxRetries: 5 });
      this.release();
    })();
    await this.disposal;
  }

  async get(path) {
    return await this.api('GET', path);
  }

  async post(path, body) {
    const token = (await readFile(join(this.dir, 'data/run/token'), 'utf8')).trim();
    return await this.api('POST', path, body, { authorization: `Bearer ${token}` });
  }

  async api(method, path, body, headers = {}) {
    const response = await fetch(`${new URL(this.webUrl).origin}/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return await response.json();
  }

  /** Everything, or what belongs to one service, is up and has no open ticket. */
  async untilUp(service) {
    await until(`${service ?? 'everything'} is up`, async () => {
      const { items } = await this.get('/invariants');
      const own = items.filter((item) => service === undefined || item.service === service);
      return own.length > 0 && own.every((item) => item.state === 'up' && item.open_ticket_id === null);
    });
    await pause(200);
  }

  async untilKnownGood() {
    for (const { name, configFile } of Object.values(this.services)) {
      if (configFile === null) continue;
      const folder = join(this.dir, 'data/known-good', name);
      await until(`the files of ${name} are known to be good`, async () => {
        const names = await readdir(folder).catch(() => []);
        return names.some((file) => file.endsWith('.json'));
      });
    }
  }

  /** Voids what is remembered of the service's failures, so that the next one is as the first. */
  async forget(service) {
    await this.untilUp(service);
    await this.post('/pause', { target: service });
    await this.post('/resume', { target: service });
    const { items } = await this.get('/invariants');
    // Not left to the next sweep: there are hundreds of runs.
    const ids = items.filter((item) => item.service === service).map(({ id }) => id);
    await Promise.all(ids.map((id) => this.post(`/invariants/${id}/check`)));
    await this.untilUp(service);
  }

  async service(name) {
    return (await this.get('/services')).items.find((service) => service.name === name);
  }

  async newestTicket(service) {
    return (await this.get(`/tickets?service=${service}&limit=1`)).items[0] ?? null;
  }
}

function serviceConfig({ name, command, env, healthUrl, configFile }) {
  return {
    description: name,
    command,
    env,
    ready: { url: healthUrl, timeout: '30s' },
    ...(configFile === null ? {} : { files: { edit: [configFile] } }),
    ...(RESTART_LIMIT === null ? {} : { restart_limit: RESTART_LIMIT }),
  };
}

function health({ name, healthUrl }) {
  return {
    id: `${name}_healthy`,
    description: `${name} answers`,
    query: healthUrl,
    condition: 'status == 200',
    service: name,
    priority: 'high',
  };
}

function cleanEnvironment() {
  const ours = ([name]) => !/^(HARNESS|TEMPORAL)_/.test(name) || name === 'TEMPORAL_CLI_PATH';
  return Object.fromEntries(Object.entries(process.env).filter(ours));
}
