import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const DISABLED = '{ "enabled": false }\n';
const SWITCHED_OFF = '{\n  "enabled": false\n}\n';
const HARMLESS = '{ "enabled": true, "capacity": 50 }\n';

let workspace: HarnessWorkspace;
let good: Buffer;

const configFile = () => join(workspace.dataDir, 'services', 'rate_limiter', 'config.json');
const blocker = () => join(workspace.dir, 'blocker');
const read = () => readFileSync(configFile());
const write = (content: string | Buffer) => writeFileSync(configFile(), content);
const isClosed = (ticket: Json) => ticket['closed_at'] !== null;
const isBlocked = (ticket: Json) => ticket['status'] === 'blocked';
const undo = (ticket: Json, ...flags: string[]) =>
  workspace.cli('ticket', 'undo', String(ticket['id']), ...flags);
const detail = async (ticket: Json) => (await workspace.api('GET', `/tickets/${String(ticket['id'])}`)).body;

/** The newest ticket, once there are `count` of them and it is as wanted. */
async function ticketNumber(count: number, isWanted: (ticket: Json) => boolean) {
  return await waitFor<Json>(
    `ticket ${count} as wanted`,
    async () => {
      const tickets = await workspace.tickets();
      const [newest] = tickets;
      return tickets.length === count && newest && isWanted(newest) ? newest : null;
    },
    { limitMs: 60_000, everyMs: 50 },
  );
}

beforeAll(async () => {
  workspace = await HarnessWorkspace.create((config) => {
    const limiter = config['services']['rate_limiter'];
    limiter['files'] = { edit: ['${data_dir}/services/rate_limiter/config.json'] };
    const [node, main] = limiter['command'] as string[];
    limiter['command'] = [node, '--require', join(__dirname, '../support/services/refuse-to-start.js'), main];
    limiter['env']['BLOCKER'] = '${data_dir}/../blocker';
  });
  await workspace.run();
  await workspace.untilUp();
  good = read();
  const folder = join(workspace.dataDir, 'known-good');
  await waitFor(
    'the configuration is known to be good',
    () =>
      Promise.resolve(readdirSync(folder, { recursive: true }).some((name) => /json$/.test(String(name)))),
    { limitMs: 60_000 },
  );
});
afterAll(async () => {
  await workspace.dispose();
});

it('a repair that a person takes back: byte for byte as before, told by the ticket, and not repaired again', async () => {
  write(DISABLED);
  const fixed = await ticketNumber(1, isClosed);
  expect(fixed).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(read()).toEqual(good);

  expect(await undo(fixed, '--reason', 'switched off on purpose')).toEqual({
    code: 0,
    stdout: `put back: ${configFile()}\n`,
    stderr: '',
  });
  expect(read().toString()).toBe(DISABLED);
  expect(await detail(fixed)).toMatchObject({
    status: 'completed',
    undone: { reason: 'switched off on purpose', files: [configFile()] },
  });
  const { stdout } = await workspace.cli('ticket', 'show', String(fixed['id']));
  expect(stdout).toContain('had its edits put back');
  expect(stdout).toContain('switched off on purpose');

  const blocked = await ticketNumber(2, isBlocked);
  expect(blocked).toMatchObject({
    blocked_on: 'person',
    escalation: { reason: expect.stringContaining(`undid the edits of ticket ${String(fixed['id'])}`) },
  });
  expect(read().toString()).toBe(DISABLED);

  expect(await undo(fixed)).toMatchObject({ code: 0, stdout: '', stderr: 'Nothing was left to undo.\n' });
  expect(await undo(blocked)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('made no edits'),
  });
  expect((await undo({ id: 'unknown' })).code).toBe(4);

  write(good);
  await ticketNumber(2, isClosed);
});

it('no agent: exit 75, nothing is touched; done by itself when an agent comes', async () => {
  write(SWITCHED_OFF);
  const fixed = await ticketNumber(3, isClosed);
  expect(read()).toEqual(good);
  process.kill(await workspace.componentPid('agent'), 'SIGKILL');
  expect(await undo(fixed)).toMatchObject({ code: 75, stdout: '' });
  expect(read()).toEqual(good);
  expect(await undo(fixed)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('being undone already'),
  });

  await workspace.start('agent');
  await waitFor('undone', async () => (await detail(fixed))['undone'] !== null, { limitMs: 30_000 });
  expect(read().toString()).toBe(SWITCHED_OFF);
  await ticketNumber(4, isBlocked);
  write(good);
  await ticketNumber(4, isClosed);
});

it('a change that is not the cause: restored, no help, put back byte for byte, a person is asked', async () => {
  const { pid } = await workspace.service();
  writeFileSync(blocker(), '');
  write(HARMLESS);
  process.kill(Number(pid), 'SIGKILL');
  const blocked = await ticketNumber(5, isBlocked);
  expect(blocked).toMatchObject({ blocked_on: 'person' });
  const { report } = blocked['escalation'] as Json;
  for (const words of ['restore of ', 'edits undone: ', 'put back as found', 'the licence has run out'])
    expect(report).toContain(words);
  expect(read().toString()).toBe(HARMLESS);
  expect(await undo(blocked)).toMatchObject({ code: 0, stderr: 'Nothing was left to undo.\n' });

  rmSync(blocker());
  expect((await workspace.cli('service', 'start', 'rate_limiter')).code).toBe(0);
  expect(await ticketNumber(5, isClosed)).toMatchObject({ id: blocked['id'], status: 'completed' });
  expect(read().toString()).toBe(HARMLESS);
  expect(await detail(blocked)).toMatchObject({ undone: null });
});
