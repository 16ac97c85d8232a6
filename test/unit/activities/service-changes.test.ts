import { createServiceWatch } from '../../../src/activities/service-changes';
import type { OpenTicket } from '../../../src/domain/incident';
import { makeStatus } from '../../support/tool-deps';

const NEVER = new AbortController().signal;
const ticket = (ticketId: string, fingerprint: string | null = 'f1.p1'): OpenTicket => ({
  invariantId: `${ticketId}_ok`,
  service: ticketId,
  ticketId,
  runId: 'r',
  status: 'blocked',
  joinedInvariants: [],
  failure: null,
  fingerprint,
});

/** A watch whose services and clock the test sets. */
function setUp() {
  const world = { ms: 0, now: {} as Record<string, string | null>, isDown: true };
  const asked: string[] = [];
  const find = createServiceWatch(
    (service) => {
      asked.push(service);
      const found = world.now[service];
      return found === undefined ? Promise.reject(new Error('no such disk')) : Promise.resolve(found);
    },
    () => world.ms,
  );
  const look = async (tickets: readonly OpenTicket[], ms: number, now: Record<string, string | null>) => {
    Object.assign(world, { ms, now });
    const { fingerprints, unsettled } = await find(tickets, () => world.isDown, [makeStatus()], NEVER);
    return { told: Object.fromEntries(fingerprints), unsettled: [...unsettled] };
  };
  return { world, asked, look };
}

it('changed files count once two looks, two seconds apart, have found them the same', async () => {
  const { look } = setUp();
  const tickets = [ticket('a')];
  const unsettled = { told: {}, unsettled: ['a'] };
  expect(await look(tickets, 0, { a: 'f1.p1' })).toEqual({ told: {}, unsettled: [] });
  expect(await look(tickets, 5_000, { a: 'f2.p1' })).toEqual(unsettled);
  expect(await look(tickets, 6_900, { a: 'f2.p1' })).toEqual(unsettled);
  expect(await look(tickets, 8_000, { a: 'f3.p1' })).toEqual(unsettled);
  expect(await look(tickets, 10_000, { a: 'f3.p2' })).toEqual({ told: { a: 'f3.p2' }, unsettled: [] });
});

it('another process with the same files counts at once', async () => {
  const { look } = setUp();
  expect(await look([ticket('a')], 0, { a: 'f1.p2' })).toEqual({ told: { a: 'f1.p2' }, unsettled: [] });
});

it('what was seen of a ticket outlives a look at another one, and ends with the ticket', async () => {
  const { world, look } = setUp();
  await look([ticket('a')], 0, { a: 'f2.p1' });
  world.isDown = false;
  expect(await look([ticket('a')], 1_000, {})).toEqual({ told: {}, unsettled: [] });
  world.isDown = true;
  expect(await look([ticket('a')], 2_000, { a: 'f2.p1' })).toMatchObject({ told: { a: 'f2.p1' } });
  await look([], 3_000, {});
  expect(await look([ticket('a')], 9_000, { a: 'f2.p1' })).toEqual({ told: {}, unsettled: ['a'] });
});

it('a blocked ticket that does not know how its service was left is told, once it has settled', async () => {
  const { look } = setUp();
  const tickets = [ticket('a', null)];
  expect(await look(tickets, 0, { a: 'f1.p1' })).toEqual({ told: {}, unsettled: [] });
  expect(await look(tickets, 5_000, { a: 'f2.p1' })).toEqual({ told: {}, unsettled: [] });
  expect(await look(tickets, 10_000, { a: 'f2.p2' })).toEqual({ told: { a: 'f2.p2' }, unsettled: [] });
});

it('one that knows the files alone is told of the process at once', async () => {
  const { look } = setUp();
  expect(await look([ticket('a', 'f1.')], 0, { a: 'f1.p1' })).toMatchObject({ told: { a: 'f1.p1' } });
});

it('nothing is told of what cannot be looked at, and nobody looks while it is worked on', async () => {
  const { asked, look } = setUp();
  const tickets = [ticket('away'), ticket('gone'), { ...ticket('new', null), status: 'in_progress' }];
  expect(await look(tickets, 0, { away: null })).toEqual({ told: {}, unsettled: [] });
  expect(asked).toEqual(['away', 'gone']);
});
