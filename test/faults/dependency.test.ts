import { FaultyServices, health } from '../support/faulty-services';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const DATABASE = 'database';
/** Answers 503 while the database does not answer. */
const SHOP = 'shop';
/** Has nothing to do with either. */
const BYSTANDER = 'bystander';

let faulty: FaultyServices;

beforeAll(async () => {
  faulty = await FaultyServices.create(
    {
      [DATABASE]: { database_healthy: health() },
      [SHOP]: { shop_healthy: health({ suppressed_by: ['database_healthy'] }) },
      [BYSTANDER]: { bystander_healthy: health() },
    },
    (config) => {
      const { database, shop } = config['services'] as Json;
      shop.env.UPSTREAM = `http://127.0.0.1:${String(database.env.PORT)}/health`;
      shop.depends_on = [DATABASE];
    },
  );
  await faulty.workspace.run();
  for (const name of [DATABASE, SHOP, BYSTANDER]) await faulty.workspace.untilUp(`${name}_healthy`);
});
afterAll(async () => {
  await faulty.workspace.dispose();
});

const others = () => Promise.all([SHOP, BYSTANDER].map((name) => faulty.pid(name)));
const untilShopIs = (state: string) =>
  waitFor(`the shop is ${state}`, async () => {
    const { body } = await faulty.workspace.api('GET', '/invariants/shop_healthy');
    return body['state'] === state;
  });

it.each([
  // Both fail in the same sweep.
  ['hangs', (pid: number) => process.kill(pid, 'SIGSTOP')],
  // The dependant fails after its dependency has its ticket.
  [
    'is killed and boots for 9 s',
    (pid: number) => {
      faulty.setBootMs(DATABASE, 9_000);
      process.kill(pid, 'SIGKILL');
    },
  ],
])(
  'a dependency %s, and its dependant with it: one ticket, nobody else is touched, and both hold after it',
  async (_how, breakIt) => {
    const before = await others();
    const tickets = (await faulty.workspace.tickets()).length;
    const starts = faulty.starts(DATABASE);
    breakIt(await faulty.pid(DATABASE));
    await untilShopIs('down');
    const closed = await faulty.closedTicket(DATABASE, tickets + 1);
    expect(closed).toMatchObject({ invariant_id: 'database_healthy', resolution: 'fixed' });
    await untilShopIs('up');
    expect(await faulty.tickets(SHOP)).toEqual([]);
    expect(await faulty.workspace.tickets()).toHaveLength(tickets + 1);
    expect(faulty.starts(DATABASE)).toBe(starts + 1);
    expect(await others()).toEqual(before);
  },
);
