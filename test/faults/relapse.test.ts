import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

let workspace: HarnessWorkspace;

beforeAll(async () => {
  workspace = await HarnessWorkspace.create((config) => {
    config['services'].rate_limiter.restart_limit = { relapses: 1, within: '10m' };
  });
  await workspace.run();
  await workspace.untilUp();
});
afterAll(async () => {
  await workspace.dispose();
});

const kill = async () => process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
const newest = (count: number, is: (ticket: Json) => boolean, what: string) =>
  waitFor<Json>(
    `ticket ${count} ${what}`,
    async () => {
      const [ticket, ...older] = await workspace.tickets();
      return ticket && older.length + 1 === count && is(ticket) ? ticket : null;
    },
    { limitMs: 75_000, everyMs: 50 },
  );
const isFixed = (ticket: Json) => ticket['resolution'] === 'fixed';

it('a repair that does not last is made again late, then a person is asked, whose word counts', async () => {
  const starts = workspace.serviceStarts();
  await kill();
  await newest(1, isFixed, 'is fixed at once');

  await kill();
  const againAt = Date.now();
  const late = await newest(2, isFixed, 'is fixed late');
  expect(Date.now() - againAt).toBeGreaterThan(30_000);
  expect(workspace.serviceStarts()).toBe(starts + 2);

  await kill();
  const blocked = await newest(3, (ticket) => ticket['status'] === 'blocked', 'asks a person');
  expect(blocked).toMatchObject({ blocked_on: 'person', relapse_of: late['id'] });
  expect(blocked['escalation'].reason).toMatch(/repaired and failed again within a minute, 2 times/);
  expect(workspace.serviceStarts()).toBe(starts + 2);
  expect(await workspace.service()).toMatchObject({ state: 'exited' });

  const { code } = await workspace.cli('ticket', 'retry', String(blocked['id']));
  expect(code).toBe(0);
  await newest(3, isFixed, 'is fixed when asked');
  expect(workspace.serviceStarts()).toBe(starts + 3);
});
