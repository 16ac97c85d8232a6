import { existsSync, readFileSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { readEndpoints } from '../../src/client/endpoints';
import { connectTemporal } from '../../src/client/temporal';
import { RehearsedRun } from '../support/rehearsed-run';
import { waitFor } from '../support/wait-for';

jest.setTimeout(60_000);

let run: RehearsedRun;
beforeEach(() => {
  run = new RehearsedRun();
});
afterEach(() => run.dispose());

async function ready(json = false): Promise<Promise<number>[]> {
  const config = await run.config({ services: [run.service('svc', ['node', 'service.js'])] });
  const ended = run.start(config, {
    json,
    environment: { ANTHROPIC_API_KEY: 'key-of-the-model', TEMPORAL_API_KEY: 'of another server' },
  });
  await run.untilReady(ended);
  // In an array, because an async function would wait for the run itself.
  return [ended];
}

it('everything ready: one line, endpoints and token for the owner only, secrets only where they are needed', async () => {
  const [ended] = await ready();
  expect(run.data).toMatch(
    /^ready in \d+\.\d s · API http:\/\/127\.0\.0\.1:\d+\/api\/v1 · Temporal UI http:\/\/127\.0\.0\.1:\d+\/namespaces\/default\/workflows\?query=WorkflowType%3D%22RemediateTicket%22 · brain: runbook \(.+\)\n$/,
  );
  const endpoints = await readEndpoints(run.dataDir);
  expect(run.data).toContain(`${endpoints?.webUrl}/api/v1`);
  expect(endpoints?.supervisorPid).toBe(process.pid);
  const token = readFileSync(join(run.dataDir, 'run', 'token'), 'utf8').trim();
  expect(token).toMatch(/^[0-9a-f]{64}$/);
  for (const file of ['token', 'endpoints.json', 'control.sock']) {
    expect(statSync(join(run.dataDir, 'run', file)).mode & 0o777).toBe(0o600);
  }
  const [monitor, agent, web] = ['monitor', 'agent', 'web'].map((name) => run.environmentOf(name));
  expect(web?.['HARNESS_TOKEN']).toBe(token);
  expect(web).not.toHaveProperty('ANTHROPIC_API_KEY');
  for (const worker of [monitor, agent]) {
    expect(worker).not.toHaveProperty('HARNESS_TOKEN');
    expect(worker?.['ANTHROPIC_API_KEY']).toBe('key-of-the-model');
    expect(worker?.['TEMPORAL_ADDRESS']).toBe(endpoints?.temporalAddress);
    expect(worker).not.toHaveProperty('TEMPORAL_API_KEY');
  }
  expect(endpoints?.monitorUrl).toBe(`http://127.0.0.1:${monitor?.['HARNESS_MONITOR_PORT']}`);

  const access = await connectTemporal(
    { address: endpoints?.temporalAddress ?? '', namespace: 'default' },
    { timeoutMs: 3_000 },
  );
  const { customAttributes } = await access.connection.operatorService.listSearchAttributes({
    namespace: 'default',
  });
  await access.close();
  expect(Object.keys(customAttributes)).toEqual(expect.arrayContaining(['TicketId', 'CostUsd']));

  const asked = Date.now();
  run.signal('SIGINT');
  expect(await ended).toBe(130);
  expect(Date.now() - asked).toBeLessThan(10_000);
  const stops = run.order().filter((line) => line.endsWith('stopped'));
  expect(stops.slice(0, 3).sort()).toEqual(['agent stopped', 'monitor stopped', 'web stopped']);
  expect(stops.slice(3)).toEqual(['service stopped']);
  expect(run.pids()).toEqual([]);
  expect(existsSync(join(run.dataDir, 'run', 'endpoints.json'))).toBe(false);
});

it('--json: the facts as one JSON line; a second start is ready; SIGTERM ends with 143', async () => {
  const [first] = await ready();
  run.signal('SIGTERM');
  expect(await first).toBe(143);
  run.data = '';
  const [second] = await ready(true);
  const facts: unknown = JSON.parse(run.data);
  expect(run.data.trim().split('\n')).toHaveLength(1);
  expect(facts).toMatchObject({ event: 'ready', brain: 'runbook', services_not_ready: [] });
  expect((facts as { ready_in_ms: number }).ready_in_ms).toBeLessThan(30_000);
  run.signal('SIGTERM');
  expect(await second).toBe(143);
});

it('a second harness on the same data directory: 1, names the first, which goes on', async () => {
  const [ended] = await ready();
  const other = await run.start(await run.config(), { listenForStop: () => () => undefined });
  expect(other).toBe(1);
  expect(run.text()).toContain(`another harness (pid ${process.pid})`);
  expect(await readEndpoints(run.dataDir)).not.toBeNull();
  run.signal('SIGTERM');
  expect(await ended).toBe(143);
});

it('the web port is taken: 1 before anything starts, with the port and the way out', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const code = await run.start(await run.config({ web: { host: '127.0.0.1', port } }));
  server.close();
  expect(code).toBe(1);
  expect(run.text()).toMatch(new RegExp(`port ${port} .*HARNESS_WEB_PORT`));
  expect(existsSync(join(run.dataDir, 'temporal'))).toBe(false);
});

it('a service without its executable: 78, names both, nothing left running', async () => {
  const services = [run.service('svc', ['node', 'service.js']), run.service('lost', ['no-such-program'])];
  expect(await run.start(await run.config({ services }))).toBe(78);
  expect(run.text()).toMatch(/service lost cannot start.*no-such-program/);
  expect(run.data).toBe('');
  expect(run.pids()).toEqual([]);
});

it('a service that does not become ready: said, listed in the ready line, and the harness goes on', async () => {
  const silent = { url: 'http://127.0.0.1:1/health', timeoutMs: 300 };
  const services = [{ ...run.service('slow', ['node', 'service.js']), ready: silent }];
  const ended = run.start(await run.config({ services }));
  await run.untilReady(ended);
  expect(run.data).toContain('NOT READY: slow');
  expect(run.text()).toContain('!!! service slow did not start');
  run.signal('SIGTERM');
  expect(await ended).toBe(143);
});

it('one of our own processes fails at start: 1, its last words, nothing left running', async () => {
  run.makeProcess('agent', 'fails');
  expect(await run.start(await run.config())).toBe(1);
  expect(run.text()).toMatch(/agent exited with code 7[^]*agent has no luck/);
  expect(run.pids()).toEqual([]);
});

it('a configured Temporal that does not answer: 69, with the address', async () => {
  const { temporal } = await run.config();
  const config = await run.config({ temporal: { ...temporal, address: '127.0.0.1:1' } });
  expect(await run.start(config)).toBe(69);
  expect(run.text()).toMatch(/Temporal at 127\.0\.0\.1:1 did not answer/);
});

it('a Temporal CLI that is not one: 78, with the variable', async () => {
  const { temporal } = await run.config();
  const config = await run.config({ temporal: { ...temporal, cliPath: '/no/such/temporal' } });
  expect(await run.start(config)).toBe(78);
  expect(run.text()).toContain('TEMPORAL_CLI_PATH=/no/such/temporal');
});

it('Temporal is killed: started again at the same address with its data; a killed agent is only reported', async () => {
  const [ended] = await ready();
  const endpoints = await readEndpoints(run.dataDir);
  const target = { address: endpoints?.temporalAddress ?? '', namespace: 'default' };
  const access = await connectTemporal(target, { timeoutMs: 3_000 });
  await access.client.workflow.start('Foo', { workflowId: 'kept', taskQueue: 'nobody' });
  await access.close();

  const [temporal] = run.pidsOf('start-dev');
  process.kill(temporal ?? 0, 'SIGKILL');
  await waitFor('Temporal is back', () => Promise.resolve(/temporal is back/.test(run.text())));
  expect(run.text()).toMatch(/!!! temporal was ended by SIGKILL.*starting it again in 0\.5 s/);
  const again = await connectTemporal(target, { timeoutMs: 3_000 });
  expect((await again.client.workflow.getHandle('kept').describe()).status.name).toBe('RUNNING');
  await again.close();

  const [agent] = run.pidsOf('main.js\0agent');
  process.kill(agent ?? 0, 'SIGKILL');
  await waitFor('it is said', () => Promise.resolve(run.text().includes('!!! agent was ended by SIGKILL')));
  expect(run.text()).toMatch(/!!! agent .*not started again by itself/);
  expect(run.pidsOf('main.js\0agent')).toEqual([]);
  run.signal('SIGTERM');
  expect(await ended).toBe(143);
});

it('a second signal kills at once what does not want to end', async () => {
  run.makeProcess('monitor', 'stubborn');
  const [ended] = await ready();
  run.signal('SIGINT');
  await waitFor('stopping', () => Promise.resolve(run.order().includes('agent stopped')));
  const asked = Date.now();
  run.signal('SIGINT');
  expect(await ended).toBe(130);
  expect(Date.now() - asked).toBeLessThan(5_000);
  await waitFor('nothing is left', () => Promise.resolve(run.pids().length === 0));
});

it('a stop during the start: ends in order, with no ready line', async () => {
  const ended = run.start(await run.config());
  await waitFor('Temporal starts', () => Promise.resolve(run.pidsOf('start-dev').length === 1));
  run.signal('SIGINT');
  expect(await ended).toBe(130);
  expect(run.data).toBe('');
  expect(run.pids()).toEqual([]);
});
