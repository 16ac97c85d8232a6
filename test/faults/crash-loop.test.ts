import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../../src/config/paths';
import { FaultyServices, health } from '../support/faulty-services';
import { waitFor } from '../support/wait-for';

jest.setTimeout(120_000);

const GOOD = '{ "pool": 4 }\n';
/** Valid, and read without a complaint: no start succeeds with it. */
const FATAL = '{ "pool": 0 }\n';
const SERVICES = ['kept', 'unkept'] as const;

let faulty: FaultyServices;

const configFile = (name: string) => join(faulty.workspace.dataDir, `${name}.json`);
const read = (name: string) => readFileSync(configFile(name), 'utf8');
const write = (name: string, content: string) => writeFileSync(configFile(name), content);
const hasCopy = (name: string) => existsSync(paths.knownGood(faulty.workspace.dataDir, name));

beforeAll(async () => {
  faulty = await FaultyServices.create(
    { kept: { kept_healthy: health() }, unkept: { unkept_healthy: health() } },
    (config) => {
      for (const name of SERVICES) {
        const file = `\${data_dir}/${name}.json`;
        config['services'][name].env['CONFIG_FILE'] = file;
        config['services'][name].files = { edit: [file] };
      }
    },
  );
  mkdirSync(faulty.workspace.dataDir, { recursive: true });
  for (const name of SERVICES) write(name, GOOD);
  await faulty.workspace.run();
  for (const name of SERVICES) await faulty.workspace.untilUp(`${name}_healthy`);
  // Sooner than 10 s of good health, so that there never is a copy of it.
  write('unkept', FATAL);
  expect(hasCopy('unkept')).toBe(false);
  await waitFor('the configuration is known to be good', () => Promise.resolve(hasCopy('kept')), {
    limitMs: 60_000,
  });
});
afterAll(async () => {
  await faulty.workspace.dispose();
});

it('a configuration with which no start succeeds, and a copy of a good one: restored, started once, proven', async () => {
  write('kept', FATAL);
  process.kill(await faulty.pid('kept'), 'SIGKILL');
  const ticket = await faulty.closedTicket('kept');
  expect(ticket).toMatchObject({ status: 'completed', resolution: 'fixed' });
  expect(read('kept')).toBe(GOOD);
  expect(faulty.starts('kept')).toBe(2);
  expect(await faulty.tickets('kept')).toHaveLength(1);
  expect((await fetch(faulty.url('kept'))).status).toBe(200);
});

it('no copy of a good one: one restart, then a person, who is told the last words of the service', async () => {
  expect(hasCopy('unkept')).toBe(false);
  process.kill(await faulty.pid('unkept'), 'SIGKILL');
  const ticket = await faulty.blockedTicket('unkept');
  expect(ticket).toMatchObject({ blocked_on: 'person', service: 'unkept' });
  expect(ticket['escalation'].reason).toMatch(/still broken after a restart\. It ended by exit code 1/);
  expect(ticket['escalation'].report).toContain('FATAL a pool of 0 connections serves nobody');
  expect(read('unkept')).toBe(FATAL);
  expect(faulty.starts('unkept')).toBe(2);
  expect(await faulty.tickets('unkept')).toHaveLength(1);
});

it('the person repairs the configuration and nothing else: it comes back by itself, and the ticket closes', async () => {
  const [open] = await faulty.tickets('unkept');
  const repairedAt = Date.now();
  write('unkept', GOOD);
  const ticket = await faulty.closedTicket('unkept');
  expect(Date.now() - repairedAt).toBeLessThan(15_000);
  expect(ticket).toMatchObject({ id: open?.['id'], status: 'completed', resolution: 'fixed' });
  expect(read('unkept')).toBe(GOOD);
  expect(faulty.starts('unkept')).toBe(3);
  expect(await faulty.tickets('unkept')).toHaveLength(1);
});
