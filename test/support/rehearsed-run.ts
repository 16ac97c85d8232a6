import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HarnessConfig, ServiceConfig } from '../../src/config/config';
import { runHarness } from '../../src/supervisor/run-harness';
import type { RunOptions } from '../../src/supervisor/run-options';
import type { StopSignal } from '../../src/supervisor/stop-requests';
import { temporalExecutable } from './temporal-cli';
import { waitFor } from './wait-for';
import { BRAIN_CONFIG } from './brain-config';

/** Stands in for the harness's own executable: announces itself, notes its environment, ends on SIGTERM. */
const OWN_PROCESS = `
const fs = require('node:fs');
const name = process.argv[2];
fs.writeFileSync(process.env.HARNESS_DATA_DIR + '/' + name + '.env.json', JSON.stringify(process.env));
fs.appendFileSync(process.env.HARNESS_DATA_DIR + '/order', name + ' started\\n');
if (fs.existsSync(process.env.HARNESS_DATA_DIR + '/' + name + '.fails')) { console.error(name + ' has no luck'); process.exit(7); }
const end = () => { fs.appendFileSync(process.env.HARNESS_DATA_DIR + '/order', name + ' stopped\\n'); process.exit(0); };
process.on('SIGTERM', fs.existsSync(process.env.HARNESS_DATA_DIR + '/' + name + '.stubborn') ? () => {} : end);
setInterval(() => {}, 1000);
process.send({ type: 'ready' });
`;

const SERVICE = `
const fs = require('node:fs');
process.on('SIGTERM', () => { fs.appendFileSync(process.env.ORDER, 'service stopped\\n'); process.exit(0); });
setInterval(() => {}, 1000);
`;

export class RehearsedRun {
  readonly dir = mkdtempSync(join(tmpdir(), 'harness-run-'));
  readonly dataDir = join(this.dir, 'data');
  lines: string[] = [];
  data = '';
  private send: (signal: StopSignal) => void = () => undefined;

  constructor() {
    mkdirSync(join(this.dir, 'dist', 'cli'), { recursive: true });
    mkdirSync(this.dataDir);
    writeFileSync(join(this.dir, 'dist', 'cli', 'main.js'), OWN_PROCESS);
    writeFileSync(join(this.dir, 'service.js'), SERVICE);
  }

  async config(change: Partial<HarnessConfig> = {}): Promise<HarnessConfig> {
    return {
      file: null,
      dataDir: this.dataDir,
      web: { host: '127.0.0.1', port: 0 },
      temporal: {
        address: null,
        namespace: 'default',
        embeddedPort: 0,
        cliPath: await temporalExecutable(),
      },
      restartOwn: false,
      services: [],
      invariants: [],
      monitor: { intervalMs: 5_000, concurrency: 4, cooldownMs: 600_000 },
      ...BRAIN_CONFIG,
      logLevel: 'info',
      packageRoot: this.dir,
      ...change,
    };
  }

  service(name: string, command: readonly string[]): ServiceConfig {
    return {
      name,
      description: '',
      command,
      cwd: this.dir,
      env: { ORDER: join(this.dataDir, 'order') },
      ready: { url: null, timeoutMs: 5_000 },
      stopTimeoutMs: 2_000,
      restartLimit: { relapses: 5, withinMs: 600_000 },
      metricsUrl: null,
      files: { read: [], edit: [] },
      dependsOn: [],
    };
  }

  start(config: HarnessConfig, change: Partial<RunOptions> = {}): Promise<number> {
    return runHarness(config, {
      service: true,
      quiet: false,
      json: false,
      abandonOpenTickets: false,
      startedAt: Date.now(),
      streams: {
        lines: { show: (name, line) => this.lines.push(`${name}: ${line}`) },
        data: (text) => (this.data += text),
      },
      listenForStop: (listener) => {
        this.send = listener;
        return () => (this.send = () => undefined);
      },
      ...change,
      environment: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...change.environment },
    });
  }

  /** Makes an own process misbehave: `fails` at its start, `stubborn` about SIGTERM. */
  makeProcess(name: string, how: 'fails' | 'stubborn'): void {
    writeFileSync(join(this.dataDir, `${name}.${how}`), '');
  }

  environmentOf(name: string): Record<string, string> {
    return JSON.parse(readFileSync(join(this.dataDir, `${name}.env.json`), 'utf8')) as Record<string, string>;
  }

  order(): string[] {
    return readFileSync(join(this.dataDir, 'order'), 'utf8').trim().split('\n');
  }

  text(): string {
    return this.lines.join('\n');
  }

  /** Ends what a failed test has left. */
  async dispose(): Promise<void> {
    this.send('SIGINT');
    this.send('SIGINT');
    await waitFor('everything has ended', () => Promise.resolve(this.pids().length === 0));
    rmSync(this.dir, { recursive: true });
  }

  signal(signal: StopSignal): void {
    this.send(signal);
  }

  async untilReady(run: Promise<number>): Promise<void> {
    await Promise.race([
      waitFor('ready', () => Promise.resolve(this.data !== ''), { limitMs: 30_000 }),
      run.then((code) => {
        throw new Error(`ended with ${code}:\n${this.lines.join('\n')}`);
      }),
    ]);
  }

  /** Live processes that know of this run's directory. */
  pids(): number[] {
    return this.processes().map(({ pid }) => pid);
  }

  /** Those whose command line (arguments separated by NUL) has the text in it. */
  pidsOf(command: string): number[] {
    return this.processes()
      .filter((one) => one.command.includes(command))
      .map(({ pid }) => pid);
  }

  private processes(): { readonly pid: number; readonly command: string }[] {
    return readdirSync('/proc').flatMap((name) => {
      if (!/^\d+$/.test(name) || Number(name) === process.pid) return [];
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        const all = command + readFileSync(`/proc/${name}/environ`, 'utf8');
        return all.includes(this.dir) ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
  }
}
