import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseFile, refuseToAbandonTickets } from '../../../src/supervisor/temporal-databases';

let folder: string;
let said: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'harness-db-'));
  said = [];
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A database with the server's own column names, in WAL mode like the real one. */
function database(version: string, rows: readonly [workflow: string, type: string, status: number][]): void {
  const script = `
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("pragma journal_mode=WAL")
db.execute("create table executions_visibility (workflow_id text, workflow_type_name text, status int)")
db.executemany("insert into executions_visibility values (?, ?, ?)", json.loads(sys.argv[2]))
db.commit()
`;
  execFileSync('python3', ['-c', script, databaseFile(folder, version), JSON.stringify(rows)]);
}

const start = (change: { abandonOpenTickets?: boolean; searchPath?: string } = {}) =>
  refuseToAbandonTickets({
    folder,
    file: databaseFile(folder, '1.33.0'),
    abandonOpenTickets: false,
    searchPath: process.env['PATH'] ?? '',
    say: (line) => said.push(line),
    ...change,
  });

it('no database yet: starts', async () => {
  await expect(start()).resolves.toBeUndefined();
});

it('an older database with open tickets: refused, with tickets, version and both ways out', async () => {
  database('1.32.0', [
    ['api_up', 'RemediateTicket', 1],
    ['api_up', 'RemediateTicket', 2],
    ['db_up', 'RemediateTicket', 1],
  ]);
  const refused = start();
  await expect(refused).rejects.toMatchObject({ name: 'ConfigError' });
  await expect(refused).rejects.toThrow(
    /temporal-1\.32\.0\.db holds 2 open ticket\(s\): api_up, db_up; .*1\.33\.0\.db would start empty.*TEMPORAL_CLI_PATH.*--abandon-open-tickets/,
  );
});

it('a newer database with open tickets: refused as well', async () => {
  database('1.40.0', [['api_up', 'RemediateTicket', 1]]);
  await expect(start()).rejects.toThrow(/temporal-1\.40\.0\.db holds 1 open/);
});

it('the same with --abandon-open-tickets: said, and starts', async () => {
  database('1.32.0', [['api_up', 'RemediateTicket', 1]]);
  await start({ abandonOpenTickets: true });
  expect(said).toEqual([expect.stringMatching(/giving up .*temporal-1\.32\.0\.db.*api_up/)]);
});

it('only closed tickets and other open workflows: starts', async () => {
  database('1.32.0', [
    ['api_up', 'RemediateTicket', 2],
    ['harness/registry', 'InvariantRegistry', 1],
  ]);
  await expect(start()).resolves.toBeUndefined();
});

it('the database of this version is there: an older one does not matter', async () => {
  database('1.32.0', [['api_up', 'RemediateTicket', 1]]);
  database('1.33.0', []);
  await expect(start()).resolves.toBeUndefined();
});

it('unreadable, or no python3 to read it: refused, because it cannot be known', async () => {
  writeFileSync(databaseFile(folder, '1.32.0'), 'no database');
  await expect(start()).rejects.toThrow(/may hold open tickets \(reading it .*not a database/);
  await expect(start({ searchPath: folder })).rejects.toThrow(/cannot be read without python3/);
});
