import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitOf, freePort, HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(180_000);

const AGAIN_AFTER_MS = 25_000;

let workspace: HarnessWorkspace;
/** The same program, started by somebody else: nobody may touch it. */
let bystander: ChildProcess;
let bystanderUrl = '';
const elsewhere = mkdtempSync(join(tmpdir(), 'harness-bystander-'));

beforeAll(async () => {
  const port = await freePort();
  bystanderUrl = `http://127.0.0.1:${port}/health`;
  bystander = spawn(process.execPath, [join(__dirname, '../../dist/service/main.js')], {
    env: { RATE_LIMITER_PORT: String(port), RATE_LIMITER_CONFIG: join(elsewhere, 'config.json') },
    stdio: 'ignore',
  });
  workspace = await HarnessWorkspace.create();
  await workspace.run();
  await workspace.untilUp();
  await waitFor('the bystander answers', async () => (await fetch(bystanderUrl)).ok);
});
afterAll(async () => {
  await workspace.dispose();
  bystander.kill('SIGKILL');
  await exitOf(bystander);
  rmSync(elsewhere, { recursive: true, force: true });
});

const kill = async () => process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
const untilFixed = (count: number) =>
  waitFor<Json>(
    `ticket ${count} is fixed`,
    async () => {
      const [newest, ...older] = await workspace.tickets();
      return older.length + 1 === count && newest?.['resolution'] === 'fixed' ? newest : null;
    },
    { limitMs: 60_000, everyMs: 50 },
  );

it('killed, repaired, and killed again 25 s later: repaired again at once, by a second ticket that knows the first', async () => {
  const starts = workspace.serviceStarts();
  await kill();
  const first = await untilFixed(1);
  const closedAt = Date.parse(String(first['closed_at']));
  await waitFor('it is time', () => Promise.resolve(Date.now() - closedAt >= AGAIN_AFTER_MS), {
    limitMs: 2 * AGAIN_AFTER_MS,
  });
  expect(workspace.serviceStarts()).toBe(starts + 1);
  expect(await workspace.tickets()).toHaveLength(1);

  const { pid: before } = await workspace.service();
  await kill();
  const second = await untilFixed(2);
  expect(second).toMatchObject({ relapse_of: first['id'], invariant_id: first['invariant_id'] });
  expect(second['id']).not.toBe(first['id']);
  expect(first['relapse_of']).toBeNull();
  expect(await workspace.tickets()).toHaveLength(2);
  expect(workspace.serviceStarts()).toBe(starts + 2);

  const { pid: after, state } = await workspace.service();
  expect({ state, isAnother: after !== before }).toEqual({ state: 'running', isAnother: true });
  expect((await fetch(bystanderUrl)).status).toBe(200);
  expect([bystander.exitCode, bystander.signalCode]).toEqual([null, null]);
});
