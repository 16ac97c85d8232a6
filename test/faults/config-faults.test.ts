import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const DISABLED = '{ "enabled": false }\n';
const SLOW = '{ "enabled": true, "delay_ms": 500 }\n';
const BROKEN = '{ "enabled": tru';

let workspace: HarnessWorkspace;
let good: Buffer;

const configFile = () => join(workspace.dataDir, 'services', 'rate_limiter', 'config.json');
const read = () => readFileSync(configFile());
const write = (content: string | Buffer) => writeFileSync(configFile(), content);
const snapshotTexts = () => {
  const folder = join(workspace.dataDir, 'known-good', 'rate_limiter');
  return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
};
const isClosed = (ticket: Json) => ticket['closed_at'] !== null;

/** The newest ticket, once there are `count` of them and it is as wanted. */
async function ticketNumber(count: number, isWanted: (ticket: Json) => boolean, limitMs = 60_000) {
  return await waitFor<Json>(
    `ticket ${count} as wanted`,
    async () => {
      const tickets = await workspace.tickets();
      const [newest] = tickets;
      return tickets.length === count && newest && isWanted(newest) ? newest : null;
    },
    { limitMs, everyMs: 50 },
  );
}

async function trajectory(ticket: Json): Promise<string> {
  const { body } = await workspace.api('GET', `/tickets/${String(ticket['id'])}/trajectory`);
  return JSON.stringify(body);
}

beforeAll(async () => {
  workspace = await HarnessWorkspace.create((config) => {
    const limiter = config['services']['rate_limiter'];
    limiter['files'] = { edit: ['${data_dir}/services/rate_limiter/config.json'] };
    (config['invariants'] as Json[]).push({
      id: 'rate_limiter_fast',
      name: 'rate_limiter_fast',
      query: `latency:http://127.0.0.1:${workspacePort(config)}/health`,
      condition: '< 200',
      service: 'rate_limiter',
    });
  });
  await workspace.run();
  await workspace.untilUp();
  await workspace.untilUp('rate_limiter_fast');
  good = read();
  await waitFor('the configuration is known to be good', () => Promise.resolve(snapshotTexts().length > 0), {
    limitMs: 60_000,
  });
});
afterAll(async () => {
  await workspace.dispose();
});

function workspacePort(config: Json): string {
  return new URL(String(config['services']['rate_limiter']['ready']['url'])).port;
}

it('disabled by its configuration: restored byte for byte, proven, without a restart', async () => {
  const { pid } = await workspace.service();
  const startsBefore = workspace.serviceStarts();
  write(DISABLED);
  const ticket = await ticketNumber(1, isClosed);
  expect(ticket).toMatchObject({
    status: 'completed',
    resolution: 'fixed',
    invariant_id: 'rate_limiter_healthy',
  });
  expect(read()).toEqual(good);
  expect(workspace.serviceStarts()).toBe(startsBefore);
  expect((await workspace.service())['pid']).toBe(pid);
  const story = await trajectory(ticket);
  for (const words of ['what_changed', '+{ \\"enabled\\": false }', 'restore_file'])
    expect(story).toContain(words);
});

it('the same content written again by a person is meant: not restored, a person is asked, their repair closes it', async () => {
  const startsBefore = workspace.serviceStarts();
  write(DISABLED);
  const blocked = await ticketNumber(2, (ticket) => ticket['status'] === 'blocked');
  expect(blocked).toMatchObject({
    blocked_on: 'person',
    escalation: { reason: expect.stringContaining('meant so') },
  });
  expect(read().toString()).toBe(DISABLED);

  const repairedAt = Date.now();
  write(good);
  const closed = await ticketNumber(2, isClosed);
  expect(Date.now() - repairedAt).toBeLessThan(15_000);
  expect(closed).toMatchObject({ id: blocked['id'], status: 'completed', resolution: 'self_recovered' });
  expect(read()).toEqual(good);
  expect(workspace.serviceStarts()).toBe(startsBefore);
});

it('slowed down by its configuration: restored byte for byte, proven', async () => {
  const startsBefore = workspace.serviceStarts();
  write(SLOW);
  const ticket = await ticketNumber(3, isClosed);
  expect(ticket).toMatchObject({
    status: 'completed',
    resolution: 'fixed',
    invariant_id: 'rate_limiter_fast',
  });
  expect(read()).toEqual(good);
  expect(workspace.serviceStarts()).toBe(startsBefore);
});

it('broken while it runs, then killed: restored, started once, proven; the broken file was never good', async () => {
  const { pid } = await workspace.service();
  const startsBefore = workspace.serviceStarts();
  write(BROKEN);
  const brokenAt = Date.now();
  process.kill(Number(pid), 'SIGKILL');
  const ticket = await ticketNumber(4, isClosed);
  expect(Date.now() - brokenAt).toBeLessThan(45_000);
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(read()).toEqual(good);
  expect(workspace.serviceStarts()).toBe(startsBefore + 1);
  for (const text of snapshotTexts()) {
    expect(JSON.parse(text).files).toMatchObject([{ path: configFile(), content: good.toString() }]);
  }
});
