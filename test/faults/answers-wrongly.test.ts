import { FaultyServices, health } from '../support/faulty-services';
import { freePort } from '../support/harness-process';

jest.setTimeout(120_000);

let faulty: FaultyServices;

beforeAll(async () => {
  const nobody = await freePort();
  faulty = await FaultyServices.create({
    wrong_path: {
      wrong_path_healthy: (port) => health({ query: `http://127.0.0.1:${port}/healthz` })(port),
    },
    wrong_method: { wrong_method_healthy: health({ request: { method: 'POST' } }) },
    wrong_port: { wrong_port_healthy: () => health()(nobody) },
    slow: {
      slow_quick: (port) => ({ query: `latency:http://127.0.0.1:${port}/health`, condition: '< 200' }),
    },
  });
  await faulty.workspace.run();
});
afterAll(async () => {
  await faulty.workspace.dispose();
});

it.each([
  ['wrong_path', /404/],
  ['wrong_method', /405/],
  ['wrong_port', /ECONNREFUSED/],
])('the check itself is wrong (%s): the service is left alone, a person is told why', async (name, saw) => {
  const ticket = await faulty.blockedTicket(name);
  expect(ticket).toMatchObject({ blocked_on: 'person', service: name });
  expect(ticket['escalation'].reason).toMatch(/answers .*the check itself looks wrong/);
  expect(ticket['escalation'].reason).toMatch(saw);
  expect(ticket['escalation'].report).toMatch(/Tried:\n- nothing/);
  expect(await faulty.tickets(name)).toHaveLength(1);
  expect(faulty.starts(name)).toBe(1);
  expect((await fetch(faulty.url(name))).status).toBe(200);
});

it('+500 ms against a 200 ms rule: a ticket that says so, no restart; quick again: it closes by itself', async () => {
  await faulty.workspace.untilUp('slow_quick');
  const pid = await faulty.pid('slow');
  const slowAt = Date.now();
  await faulty.tell('slow', '/delay?ms=500');
  const ticket = await faulty.blockedTicket('slow');
  expect(Date.now() - slowAt).toBeLessThan(25_000);
  expect(ticket['escalation'].reason).toMatch(/< 200 is false \(value 5\d\d/);

  await faulty.tell('slow', '/delay?ms=0');
  expect(await faulty.closedTicket('slow')).toMatchObject({
    id: ticket['id'],
    status: 'completed',
    resolution: 'self_recovered',
  });
  expect(await faulty.tickets('slow')).toHaveLength(1);
  expect(faulty.starts('slow')).toBe(1);
  expect(await faulty.pid('slow')).toBe(pid);
});
