import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { ApplicationFailure } from '@temporalio/common';
import pino from 'pino';
import { createRegistryReader } from '../../src/client/registry-reader';
import { loadConfig } from '../../src/config/load-config';
import { paths } from '../../src/config/paths';
import { FAILURES } from '../../src/domain/failures';
import type { RegistryEvent, RegistryState } from '../../src/domain/registry';
import { createApp } from '../../src/web/app';
import { checkNow } from '../../src/web/check-now';
import { registryAccess } from '../../src/web/registry-access';
import { createWebDependencies } from '../../src/web/web-dependencies';
import { listen, runWebProcess } from '../../src/web/web-process';
import type { MonitorActivities, SweepReport } from '../../src/workflows/contract';
import { QUERIES, QUEUES, REGISTRY_WORKFLOW_ID, SIGNALS, WORKFLOWS } from '../../src/workflows/contract';
import { check, definition, downSince, T0 } from '../support/invariants';
import { waitFor } from '../support/wait-for';
import { BRAIN_CONFIG } from '../support/brain-config';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;
let dataDir: string;
let server: Server;
let base: string;
let worker: { stop(): Promise<void> } | null = null;

beforeAll(async () => {
  env = await startTemporal();
  dataDir = await mkdtemp(join(tmpdir(), 'harness-web-'));
  const web = { host: '127.0.0.1', port: 0 };
  const config = {
    dataDir,
    web,
    invariants: [],
    services: ['api', 'shop'].map((name) => ({ name, env: {} })),
    agent: BRAIN_CONFIG.agent,
    monitor: { intervalMs: 5_000, concurrency: 4, cooldownMs: 0 },
  };
  const log = pino({ level: 'silent' });
  server = await listen(
    createApp(createWebDependencies({ config, access: accessOf(env), token: 'secret', log })),
    web,
  );
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await worker?.stop();
  worker = null;
});
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await env.teardown();
  await rm(dataDir, { recursive: true, force: true });
});

type Body = Readonly<Record<string, unknown>>;

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: Body }> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
}

const report: SweepReport = {
  at: T0,
  checked: 1,
  transitions: [],
  incidents: [],
  evidence: [],
  recovered: [],
  checks: [],
};

async function monitor(checkInvariants: MonitorActivities['checkInvariants']): Promise<void> {
  worker = await startWorker(env, 'monitor', { checkInvariants });
}
const idle = () => Promise.resolve(report);

it('nothing was ever started: the registry, checks and readiness say that the monitor is missing', async () => {
  expect(await ask('GET', '/api/v1/invariants')).toMatchObject({
    status: 503,
    body: { title: 'No registry' },
  });
  expect(
    await ask('POST', '/api/v1/invariants', { id: 'a', query: 'tcp://localhost:1', condition: 'connected' }),
  ).toMatchObject({
    status: 503,
    body: { title: 'No registry' },
  });
  await expect(checkNow(accessOf(env), 'a', 300)).rejects.toMatchObject({ status: 503, title: 'No monitor' });
  expect(await ask('GET', '/ready')).toMatchObject({
    status: 503,
    body: {
      status: 'down',
      components: [
        { name: 'temporal', status: 'ok' },
        { name: 'monitor', status: 'down', detail: 'no sweep has ended yet' },
        { name: 'agent', status: 'degraded' },
        { name: 'supervisor', status: 'degraded' },
      ],
    },
  });
});

it('made, changed, disabled, purged through the API; the fold over history equals the state of the workflow', async () => {
  await monitor(idle);
  const handle = await env.client.workflow.start(WORKFLOWS.invariantRegistry, {
    workflowId: REGISTRY_WORKFLOW_ID,
    taskQueue: QUEUES.monitor,
    args: [{ state: null }],
  });
  const own = definition('of_the_file');
  const sync: RegistryEvent = { type: 'sync_file', at: T0, definitions: [own] };
  await registryAccess(accessOf(env)).change(sync);

  const input = {
    id: 'api_fast',
    query: 'latency:http://127.0.0.1:1/',
    condition: '< 200',
    timeout: '500ms',
  };
  expect(await ask('POST', '/api/v1/invariants', input)).toMatchObject({
    status: 201,
    body: {
      ...input,
      source: 'api',
      state: 'unknown',
      enabled: true,
      last_check: null,
      open_ticket_id: null,
    },
  });
  expect((await ask('POST', '/api/v1/invariants', input)).status).toBe(409);
  expect(
    await ask('PATCH', '/api/v1/invariants/api_fast', { priority: 'low', confirm: { attempts: 5 } }),
  ).toMatchObject({
    status: 200,
    body: {
      priority: 'low',
      confirm: { attempts: 5, spacing: '250ms' },
      timeout: '500ms',
      condition: '< 200',
    },
  });
  expect((await ask('PATCH', '/api/v1/invariants/of_the_file', { priority: 'low' })).status).toBe(409);
  expect((await ask('DELETE', '/api/v1/invariants/of_the_file')).status).toBe(409);
  expect((await ask('PATCH', '/api/v1/invariants/nobody', { priority: 'low' })).status).toBe(404);

  const before = await createRegistryReader(accessOf(env))();
  const revision = before.invariants['of_the_file']?.revision ?? 0;
  const transitions = [{ invariantId: 'of_the_file', revision, health: downSince('of_the_file', T0) }];
  const transition: RegistryEvent = { type: 'transitions', at: T0, transitions };
  await handle.signal(SIGNALS.transitions, transition);
  const { invariants } = await createRegistryReader(accessOf(env))();
  expect(invariants['of_the_file']).toMatchObject({ source: 'file', health: { state: 'down', since: T0 } });

  expect(await ask('DELETE', '/api/v1/invariants/api_fast')).toMatchObject({
    status: 200,
    body: { enabled: false, state: 'paused' },
  });
  expect(await createRegistryReader(accessOf(env))()).toEqual(
    await handle.query<RegistryState>(QUERIES.registryState),
  );
  expect((await ask('DELETE', '/api/v1/invariants/api_fast?purge=true')).status).toBe(204);
  expect((await ask('GET', '/api/v1/invariants/api_fast')).status).toBe(404);
  expect(await createRegistryReader(accessOf(env))()).toEqual(
    await handle.query<RegistryState>(QUERIES.registryState),
  );
});

it('the monitor is gone: reading works, a change answers 503 within its deadline', async () => {
  expect(await ask('GET', '/api/v1/invariants')).toMatchObject({
    status: 200,
    // Nobody sweeps: the last known state is not given out as the state of now.
    body: { items: [{ id: 'of_the_file', state: 'unknown' }] },
  });
  const change = registryAccess(accessOf(env), 300).change({ type: 'remove', at: T0, id: 'of_the_file' });
  await expect(change).rejects.toMatchObject({ status: 503, title: 'No monitor' });
});

it('a check for a person: what the monitor found; a check that could not run is 503, not a verdict', async () => {
  const found = check('of_the_file', { ok: false, error: 'refused', resolved: { status: 0 } });
  await monitor(({ scope }) =>
    scope.kind === 'invariant' && scope.invariantId === 'of_the_file'
      ? Promise.resolve({ ...report, checks: [found] })
      : Promise.reject(new Error('the wrong scope')),
  );
  expect(await ask('POST', '/api/v1/invariants/of_the_file/check')).toEqual({
    status: 200,
    body: {
      invariant_id: 'of_the_file',
      at: T0,
      ok: false,
      latency_ms: 1,
      resolved: { status: 0 },
      error: 'refused',
    },
  });
  expect((await ask('POST', '/api/v1/invariants/nobody/check')).status).toBe(404);
  await worker?.stop();
  await monitor(() => {
    throw ApplicationFailure.nonRetryable('no sockets left', FAILURES.checkCouldNotRun);
  });
  expect(await ask('POST', '/api/v1/invariants/of_the_file/check')).toMatchObject({
    status: 503,
    body: { title: 'Check could not run', detail: expect.stringContaining('no sockets left') as string },
  });
});

it('readiness follows the last sweep: ok, then down with the reason when the checks cannot run', async () => {
  const sweep = (id: string) =>
    env.client.workflow.start(WORKFLOWS.monitor, { workflowId: id, taskQueue: QUEUES.monitor, args: [] });
  const untilMonitor = (status: string) =>
    waitFor(`monitor ${status}`, async () => {
      const { status: code, body } = await ask('GET', '/ready');
      const components = body['components'] as { name: string; status: string; detail: string }[];
      const found = components.find(({ name }) => name === 'monitor');
      return found?.status === status ? { code, detail: found.detail } : null;
    });
  await monitor(idle);
  await (await sweep('m1')).result();
  expect(await untilMonitor('ok')).toMatchObject({ code: 200 });
  await worker?.stop();
  await monitor(() => {
    throw ApplicationFailure.nonRetryable('registry unreadable', FAILURES.checkCouldNotRun);
  });
  await expect((await sweep('m2')).result()).rejects.toThrow();
  expect(await untilMonitor('down')).toEqual({
    code: 503,
    detail: 'the checks could not run: registry unreadable',
  });
});

it('the process: ready once it answers, and gone soon after the signal, although a client holds its connection', async () => {
  const port = await freePort();
  const stop = new AbortController();
  let isReady = false;
  const config = loadConfig({
    env: { HARNESS_DATA_DIR: dataDir, HARNESS_WEB_PORT: String(port), TEMPORAL_ADDRESS: env.address },
    cwd: dataDir,
  });
  const ended = runWebProcess(config, {
    signal: stop.signal,
    log: pino({ level: 'silent' }),
    ready: () => {
      isReady = true;
    },
  });
  await waitFor('ready', () => Promise.resolve(isReady));
  const token = (await readFile(paths.token(dataDir), 'utf8')).trim();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/services/x/stop`, { method: 'POST', headers });
  expect(answer.status).toBe(503); // no supervisor runs on this data directory
  const held = connect(port, '127.0.0.1');
  await once(held, 'connect');
  held.on('error', () => undefined);
  held.write('GET /health HTTP/1.1\r\n'); // a request that never ends
  const asked = Date.now();
  stop.abort();
  await ended;
  expect(Date.now() - asked).toBeLessThan(10_000);
  held.destroy();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
