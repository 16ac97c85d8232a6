import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exitOf, freePort, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

let workspace: HarnessWorkspace;
let target: Server;
let targetUrl: string;
let targetStatus = 200;

beforeAll(async () => {
  const port = await freePort();
  target = createServer((_request, response) => {
    response.statusCode = targetStatus;
    response.end();
  }).listen(port, '127.0.0.1');
  targetUrl = `http://127.0.0.1:${port}/`;
  workspace = await HarnessWorkspace.create();
  await workspace.run();
});
afterAll(async () => {
  await workspace.dispose();
  await new Promise((resolve) => target.close(resolve));
});

const made = (change: Json = {}): Json => ({
  id: 'made',
  query: targetUrl,
  condition: 'status == 200',
  ...change,
});

const stateOf = async (id: string): Promise<unknown> =>
  (await workspace.api('GET', `/invariants/${id}`)).body['state'];

it('POST makes an invariant that the next sweep checks', async () => {
  const created = await workspace.api('POST', '/invariants', made());
  expect(created.status).toBe(201);
  expect(created.body).toMatchObject({ id: 'made', source: 'api', enabled: true });
  await waitFor('the sweep checks it', async () => (await stateOf('made')) === 'up');
});

it('POST check probes now and returns the resolved values', async () => {
  const { status, body } = await workspace.api('POST', '/invariants/made/check');
  expect(status).toBe(200);
  expect(JSON.stringify(body)).toContain('"status":200');
});

it('a change takes effect in the next sweep', async () => {
  expect((await workspace.api('PATCH', '/invariants/made', { condition: 'status == 418' })).status).toBe(200);
  await waitFor('it is down by the new rule', async () => (await stateOf('made')) === 'down');
  targetStatus = 418;
  await waitFor('it is up by the new rule', async () => (await stateOf('made')) === 'up', {
    limitMs: 15_000,
  });
});

it.each<[string, string, string, () => Json | undefined, number, RegExp]>([
  ['an ID twice', 'POST', '', () => made(), 409, /made/],
  ['a bad condition', 'POST', '', () => made({ id: 'other', condition: 'status ==' }), 422, /condition/],
  ['an unknown key', 'POST', '', () => made({ id: 'other', colour: 'red' }), 422, /colour/],
  ['a bad ID', 'POST', '', () => made({ id: 'Not An ID' }), 422, /Not An ID/],
  [
    'a change of an invariant owned by the file',
    'PATCH',
    '/rate_limiter_healthy',
    () => ({ condition: 'status == 1' }),
    409,
    /harness\.yaml|file/,
  ],
  ['a change of an unknown one', 'PATCH', '/nobody', () => ({ condition: 'status == 1' }), 404, /nobody/],
  ['reading an unknown one', 'GET', '/nobody', () => undefined, 404, /nobody/],
])('%s: refused with a problem that names it', async (_name, method, path, body, status, message) => {
  const answer = await workspace.api(method, `/invariants${path}`, body());
  expect(answer.status).toBe(status);
  expect(JSON.stringify(answer.body)).toMatch(message);
});

it('writing without the token: 401, nothing changed', async () => {
  const url = new URL(String(workspace.endpoints()?.['web_url']));
  const answer = await fetch(`${url.origin}/api/v1/invariants/made`, { method: 'DELETE' });
  expect(answer.status).toBe(401);
  expect((await workspace.api('GET', '/invariants/made')).body['enabled']).toBe(true);
});

it('DELETE disables, ?purge=true removes', async () => {
  expect((await workspace.api('DELETE', '/invariants/made')).status).toBeLessThan(300);
  expect((await workspace.api('GET', '/invariants/made')).body).toMatchObject({
    enabled: false,
    state: 'paused',
  });
  expect((await workspace.api('DELETE', '/invariants/made?purge=true')).status).toBeLessThan(300);
  expect((await workspace.api('GET', '/invariants/made')).status).toBe(404);
});

it('reading works with the monitor dead, and /ready says that nothing is checked', async () => {
  process.kill(await workspace.componentPid('monitor'), 'SIGKILL');
  expect((await workspace.api('GET', '/invariants/rate_limiter_healthy')).body['id']).toBe(
    'rate_limiter_healthy',
  );
  const change = await workspace.api('POST', '/invariants', made({ id: 'late' }));
  expect(change.status).toBe(503);
  await waitFor(
    '/ready is 503',
    async () => (await workspace.api('GET', '/ready', undefined, '')).status === 503,
    {
      limitMs: 30_000,
      everyMs: 250,
    },
  );
  expect(await stateOf('rate_limiter_healthy')).toBe('unknown'); // nobody looks: never "up"
  const status = await workspace.cli('status');
  expect(status.code).toBe(3);
  expect(status.stdout).toMatch(/monitor/);
});

async function stopRun(): Promise<void> {
  for (const child of workspace.children.filter((candidate) => candidate.spawnargs.includes('run'))) {
    child.kill('SIGINT');
    await exitOf(child);
  }
}

it('a definition that left the file is disabled at the next start; one made by the API stays', async () => {
  await stopRun();
  await workspace.run();
  expect((await workspace.api('POST', '/invariants', made({ id: 'kept' }))).status).toBe(201);
  await stopRun();
  const file = join(workspace.dir, 'harness.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('rate_limiter_healthy', 'rate_limiter_alive'));
  await workspace.run();
  const read = async (id: string) => (await workspace.api('GET', `/invariants/${id}`)).body;
  await waitFor(
    'the monitor has taken over the file',
    async () => (await read('rate_limiter_alive'))['source'] === 'file',
  );
  expect(await read('rate_limiter_healthy')).toMatchObject({ enabled: false, source: 'api' }); // a person may purge it now
  expect(await read('rate_limiter_alive')).toMatchObject({ enabled: true });
  expect(await read('kept')).toMatchObject({ enabled: true, source: 'api' });
});
