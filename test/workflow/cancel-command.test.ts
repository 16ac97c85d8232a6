import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createDecideActivity } from '../../src/activities/decide';
import { createToolActivities } from '../../src/activities/tools';
import { paths } from '../../src/config/paths';
import type { TicketResult, TicketSpec } from '../../src/domain/ticket';
import type { RemediateInput } from '../../src/workflows/contract';
import { QUEUES, WORKFLOWS } from '../../src/workflows/contract';
import { ticketCommands } from '../../src/web/ticket-commands';
import { makeDeps, makeTempDirs } from '../support/tool-deps';
import { waitFor } from '../support/wait-for';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

/** `df -h` is allowed; this one never ends, hears no SIGTERM, and neither does its child. */
const SLOW_DF = (dir: string): string => `#!/bin/sh
PATH=/usr/bin:/bin
trap '' TERM
sh -c 'echo $$ > ${dir}/grandchild; while :; do sleep 1; done' &
echo $HOME > ${dir}/home
echo $$ > ${dir}/command
while :; do sleep 1; done
`;
/** What the product promises from the order to the end of the process. */
const PROMISE_MS = 3_000;
const AT = '2026-01-01T00:00:00.000Z';

const makeTempDir = makeTempDirs();
let env: TestWorkflowEnvironment;
let dir: string;
let pids: number[];
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await startTemporal();
});
beforeEach(() => {
  pids = [];
  dir = makeTempDir();
  mkdirSync(join(dir, 'bin'));
  writeFileSync(join(dir, 'bin', 'df'), SLOW_DF(dir));
  chmodSync(join(dir, 'bin', 'df'), 0o755);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
  for (const pid of pids.filter(isAlive)) process.kill(pid, 'SIGKILL');
});
afterAll(async () => {
  await env.teardown();
});

/** An agent with the product's own tools and policy whose brain wants `df -h`; its ticket, in work. */
async function startTicket(invariantId: string) {
  const deps = makeDeps(dir, { commands: { directories: [join(dir, 'bin')], marks: {} } });
  const brain: { heard: string | null } = { heard: null };
  workers.push(
    await startWorker(env, 'agent', {
      ...createToolActivities(deps),
      decide: createDecideActivity({
        services: deps.services,
        audit: deps.audit,
        pauseOf: () => Promise.resolve(null),
      }),
      claimTicket: () =>
        Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 }),
      archiveTicket: () => Promise.resolve(),
      proposeStep: ({ results }) => {
        brain.heard = results[0]?.content ?? null;
        const call = results[0]
          ? { name: 'update_ticket_status', input: { status: 'blocked', reason: 'r', report: 'seen' } }
          : { name: 'run_command', input: { argv: ['df', '-h'] } };
        return Promise.resolve({ brain: 'runbook', text: '', calls: [{ id: 'c1', ...call }], memory: null });
      },
    }),
  );
  const handle = await env.client.workflow.start<(input: RemediateInput) => Promise<TicketResult>>(
    WORKFLOWS.remediateTicket,
    { workflowId: invariantId, taskQueue: QUEUES.agent, args: [{ ticket: spec(invariantId) }] },
  );
  pids = await waitFor('command and grandchild run', () => {
    const found = ['command', 'grandchild'].map((name) => Number(readText(join(dir, name))));
    return Promise.resolve(found.every((pid) => pid > 0 && isAlive(pid)) && found);
  });
  return { handle, brain };
}

function spec(invariantId: string): TicketSpec {
  return {
    id: `T-${invariantId}`,
    invariantId,
    service: 'limiter',
    objective: 'Bring limiter back',
    successCriteria: 'it holds',
    context: '',
    priority: 'high',
    suspectedCause: 'killed',
    confidence: 0.8,
    sourceType: 'monitor',
    sourceId: invariantId,
    detectedAt: AT,
    createdAt: AT,
    joinedInvariants: [],
    evidence: [],
    firstCheck: null,
  };
}

function auditOf(ticketId: string): Record<string, unknown>[] {
  return readText(paths.audit(dir))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .filter((line) => line['ticket'] === ticketId);
}

const isAlive = (pid: number): boolean => /^State:\s+[^ZX]/m.test(readText(`/proc/${pid}/status`));
const readText = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');
const untilDead = (limitMs: number): Promise<boolean> =>
  waitFor('command and grandchild are gone', () => Promise.resolve(!pids.some(isAlive)), { limitMs });

it('a cancelled ticket: its running command and the child of it are gone within 3 s, it closes, and the audit says so', async () => {
  const { handle } = await startTicket('cancelled_while_running');
  const run = { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
  const scratch = readText(join(dir, 'home')).trim();
  const asked = performance.now();
  const accepted = await ticketCommands(accessOf(env)).cancel(run, {
    by: 'ana',
    reason: 'not needed',
    mode: 'cancel',
  });
  expect(accepted).toBe(true);
  await untilDead(PROMISE_MS);
  expect(performance.now() - asked).toBeLessThan(PROMISE_MS);
  expect(await handle.result()).toMatchObject({ status: 'failed', resolution: 'cancelled' });
  expect(auditOf('T-cancelled_while_running')).toEqual([
    expect.objectContaining({ kind: 'decision', tool: 'run_command', verdict: 'allow', argv: ['df', '-h'] }),
    expect.objectContaining({ kind: 'execution', tool: 'run_command', ended: 'cancelled', exit_code: null }),
  ]);
  expect(scratch).toMatch(/harness-run-/);
  expect(existsSync(scratch)).toBe(false);
});

it('positive control: without an order the same command is alive after those 3 s, until its own limit ends it', async () => {
  const { handle, brain } = await startTicket('not_cancelled');
  const startedAt = performance.now();
  await new Promise((resolve) => setTimeout(resolve, PROMISE_MS));
  expect(pids.map(isAlive)).toEqual([true, true]);
  await waitFor('the brain hears of the limit', () => Promise.resolve(brain.heard !== null), {
    limitMs: 20_000,
  });
  expect(performance.now() - startedAt).toBeGreaterThan(9_000);
  expect(brain.heard).toMatch(/^Stopped after 1\d\.\d s: it did not end in time/);
  expect(pids.filter(isAlive)).toEqual([]);
  await handle.cancel();
  await handle.result();
});
