import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import type { ServiceConfig } from '../../../src/config/config';
import type { ServiceEvent } from '../../../src/domain/service-state';
import { Supervisor } from '../../../src/supervisor/supervisor';
import type { SupervisorOptions } from '../../../src/supervisor/supervisor';

/** A supervisor on a directory of its own, whose shown lines and events are kept. */
export interface Bench {
  readonly dir: string;
  readonly supervisor: Supervisor;
  readonly shown: string[];
  readonly events: ServiceEvent[];
  /** The next event that matches, past ones included. */
  event(matches: (event: ServiceEvent) => boolean): Promise<ServiceEvent>;
  close(): Promise<void>;
}

export function openBench(
  services: (dir: string) => readonly ServiceConfig[],
  options: Partial<SupervisorOptions> & { readonly dir?: string } = {},
): Bench {
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'harness-supervisor-'));
  const shown: string[] = [];
  const events: ServiceEvent[] = [];
  const supervisor = new Supervisor({
    dataDir: dir,
    runId: randomUUID(),
    services: services(dir),
    output: { show: (name, line) => shown.push(`${name}: ${line}`) },
    baseEnv: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', HOME: dir, LANG: 'C' },
    resolveSecrets: (value) => value.replace('${env:TEST_SECRET}', 'from-environment'),
    ...options,
  });
  const waiting = new Set<() => void>();
  supervisor.onEvent((event) => {
    events.push(event);
    for (const check of waiting) check();
  });
  return {
    dir,
    supervisor,
    shown,
    events,
    event: (matches) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = events.find(matches);
          if (found === undefined) return;
          waiting.delete(check);
          resolve(found);
        };
        waiting.add(check);
        check();
      }),
    async close() {
      await supervisor.stopAll();
      if (options.dir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** A service that runs a shell script, without a readiness URL unless given. */
export function shellService(
  dir: string,
  script: string,
  overrides: Partial<ServiceConfig> = {},
): ServiceConfig {
  return {
    name: 'svc',
    description: '',
    command: ['/bin/sh', '-c', script],
    cwd: dir,
    env: {},
    ready: { url: null, timeoutMs: 2_000 },
    stopTimeoutMs: 2_000,
    restartLimit: { relapses: 5, withinMs: 600_000 },
    metricsUrl: null,
    files: { read: [], edit: [] },
    dependsOn: [],
    ...overrides,
  };
}

/** Polls until the value is there; fails loudly instead of for ever. */
export async function eventually<T>(what: string, look: () => T | null | undefined | false): Promise<T> {
  const deadline = Date.now() + 4_000;
  for (;;) {
    const value = look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    // A zombie that nobody reaps is dead.
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/^\d+ \(.*\) Z/s.test(stat);
  } catch {
    return false;
  }
}

export function readNumber(path: string): number | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? null : Number(text);
  } catch {
    return null;
  }
}
