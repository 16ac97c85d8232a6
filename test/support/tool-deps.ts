import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import pino from 'pino';
import { createAuditLog } from '../../src/activities/audit';
import { createToolActivities } from '../../src/activities/tools';
import { TRUSTED_DIRECTORIES } from '../../src/activities/tools/find-program';
import type { ToolDeps } from '../../src/activities/tools/tool';
import type { ServiceConfig } from '../../src/config/config';
import { paths } from '../../src/config/paths';
import type { Json } from '../../src/domain/json';
import { createRedactor } from '../../src/domain/redaction';
import type { ControlRequest, ControlResult, ServiceStatus } from '../../src/domain/service-state';
import type { ToolName, ToolResult } from '../../src/domain/tool';
import type { PersonRequest } from '../../src/workflows/contract';

export const NOW = new Date('2026-01-01T00:01:00.000Z');
export const TICKET = {
  ticketId: 'T1',
  invariantId: 'limiter_healthy',
  service: 'limiter',
  detectedAt: '2026-01-01T00:00:30.000Z',
};

/** A temporary directory, by its real path, removed at the end of the test file. */
export function makeTempDirs(): () => string {
  const made: string[] = [];
  afterAll(() => made.forEach((path) => rmSync(path, { recursive: true, force: true })));
  return () => {
    const path = realpathSync(mkdtempSync(join(tmpdir(), 'harness-test-')));
    made.push(path);
    return path;
  };
}

export function makeService(cwd: string, change: Partial<ServiceConfig> = {}): ServiceConfig {
  return {
    name: 'limiter',
    description: '',
    command: ['node', 'main.js'],
    cwd,
    env: {},
    ready: { url: null, timeoutMs: 30_000 },
    stopTimeoutMs: 5_000,
    restartLimit: { relapses: 5, withinMs: 600_000 },
    metricsUrl: null,
    files: { read: [join(cwd, 'src/**')], edit: [join(cwd, 'config.json')] },
    dependsOn: [],
    ...change,
  };
}

export function makeStatus(change: Partial<ServiceStatus> = {}): ServiceStatus {
  return {
    name: 'limiter',
    state: 'running',
    pid: 4_000_000,
    startedAt: '2026-01-01T00:00:00.000Z',
    exit: null,
    restarts: 0,
    ready: true,
    desired: 'running',
    ...change,
  };
}

/** A supervisor that answers from a script, and fails loudly when the script runs out. */
export function makeControl(script: {
  readonly statuses?: readonly (ServiceStatus | null | Error)[];
  readonly results?: readonly (ControlResult | Error)[];
}) {
  const statuses = [...(script.statuses ?? [])];
  const results = [...(script.results ?? [])];
  const requests: ControlRequest[] = [];
  return {
    requests,
    snapshot: () => {
      // The last answer stays: how often a waiting tool looks is its own affair.
      const next = statuses.length > 1 ? statuses.shift() : statuses[0];
      if (next === undefined) return Promise.reject(new Error('the control script has no status'));
      if (next instanceof Error) return Promise.reject(next);
      return Promise.resolve({ services: next ? [next] : [], components: [] });
    },
    act: (request: ControlRequest) => {
      requests.push(request);
      const next = results.shift();
      if (next === undefined) return Promise.reject(new Error('the control script has no result left'));
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
    },
  };
}

export function makeDeps(dataDir: string, change: Partial<ToolDeps> = {}): ToolDeps {
  const redact = createRedactor({ secrets: [{ name: 'TEST_SECRET', value: 'swordfish-0001' }] });
  return {
    services: [makeService(dataDir)],
    control: makeControl({ statuses: [makeStatus()] }),
    dataDir,
    readLogs: () => Promise.resolve({ lines: [], truncated: false }),
    probe: () => Promise.resolve(null),
    lookAtPorts: () => () => () => null,
    isAtWork: () => Promise.reject(new Error('only an undo by a person asks')),
    commands: { directories: TRUSTED_DIRECTORIES, marks: {} },
    redact,
    audit: createAuditLog({ file: paths.audit(dataDir), redact, now: () => NOW }),
    now: () => NOW,
    log: pino({ level: 'silent' }),
    ...change,
  };
}

/** Runs one tool as the worker would, in a fresh activity environment. */
export function callTool(
  deps: ToolDeps,
  name: ToolName,
  input: { readonly [key: string]: Json },
  options: {
    readonly ticket?: typeof TICKET;
    readonly environment?: MockActivityEnvironment;
    readonly person?: PersonRequest;
    readonly recheck?: boolean;
  } = {},
): Promise<ToolResult> {
  const environment = options.environment ?? new MockActivityEnvironment();
  const activity = createToolActivities(deps)[name];
  return environment.run(activity, {
    ticket: options.ticket ?? TICKET,
    call: { id: 'call-1', name, input },
    ...(options.person && { person: options.person }),
    ...(options.recheck && { recheck: true }),
  });
}
