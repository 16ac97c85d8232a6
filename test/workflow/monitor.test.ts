import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { SweepInput, SweepReport } from '../../src/workflows/contract';
import {
  MONITOR_WORKFLOW_ID,
  QUERIES,
  QUEUES,
  REGISTRY_WORKFLOW_ID,
  SCHEDULE_ID,
  triageWorkflowId,
  UPDATES,
  WORKFLOWS,
} from '../../src/workflows/contract';
import type { Incident } from '../../src/domain/incident';
import type { RegistryState } from '../../src/domain/registry';
import { ensureMonitorSchedule } from '../../src/workers/monitor-schedule';
import { ensureRegistry } from '../../src/workers/ensure-registry';
import { at, definition, downSince, failed, T0 } from '../support/invariants';
import { waitFor } from '../support/wait-for';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;
const workers: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  env = await startTemporal();
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()));
});
afterAll(async () => {
  await env.teardown();
});

const QUIET: SweepReport = {
  at: T0,
  checked: 0,
  transitions: [],
  incidents: [],
  evidence: [],
  recovered: [],
  checks: [],
};
const incident = (invariantId: string): Incident => ({
  invariantId,
  service: null,
  priority: 'high',
  detectedAt: T0,
  check: failed(invariantId),
  joined: [],
});

/** A worker whose sweeps find this; triage gets as far as its evidence and retries that for ever. */
async function monitorThatFinds(found: Partial<SweepReport>): Promise<SweepInput[]> {
  const inputs: SweepInput[] = [];
  workers.push(
    await startWorker(env, 'monitor', {
      checkInvariants: (input) => {
        inputs.push(input);
        return Promise.resolve({ ...QUIET, ...found });
      },
      collectEvidence: () => Promise.reject(new Error('not in this test')),
    }),
  );
  return inputs;
}

const sweep = (id: string): Promise<unknown> =>
  env.client.workflow.execute(WORKFLOWS.monitor, { workflowId: id, taskQueue: QUEUES.monitor, args: [] });

async function openTriages(prefix: string): Promise<string[]> {
  const ids: string[] = [];
  const query = `WorkflowType = "${WORKFLOWS.triageFailure}" AND ExecutionStatus = "Running"`;
  for await (const run of env.client.workflow.list({ query })) ids.push(run.workflowId);
  return ids.filter((id) => id.startsWith(triageWorkflowId(incident(prefix))));
}

it('asks for everything, and leaves nothing behind while everything is healthy', async () => {
  const inputs = await monitorThatFinds({ checked: 3 });
  expect(await sweep('quiet')).toEqual({ checked: 3, incidents: 0 });
  expect(inputs).toEqual([{ scope: { kind: 'all' }, confirmed: false, includeChecks: false }]);
});

it('tells the registry what changed', async () => {
  await monitorThatFinds({
    transitions: [{ invariantId: 'a', revision: 1, health: downSince('a', at(5)) }],
  });
  await ensureRegistry(accessOf(env), [definition('a')], () => new Date());
  const registry = env.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
  await sweep('transitions');
  const state = await registry.query<RegistryState>(QUERIES.registryState);
  expect(state.invariants['a']?.health).toMatchObject({ state: 'down', failingSince: at(5) });
  await registry.executeUpdate(UPDATES.changeRegistry, {
    args: [{ type: 'sync_file', at: T0, definitions: [] }],
  });
  await registry.terminate('end of test');
});

it('one triage per incident, however many sweeps find it; it outlives the sweep', async () => {
  await monitorThatFinds({ incidents: [incident('once')] });
  await Promise.all(['s1', 's2', 's3', 's4'].map(sweep));
  await sweep('s5');
  expect(await waitFor('triage', async () => (await openTriages('once')).length > 0)).toBe(true);
  expect(await openTriages('once')).toEqual(['triage/invariant/once']);
  await env.client.workflow.getHandle('triage/invariant/once').terminate('end of test');
});

it('two invariants of one service fail in the same moment: one triage, so one ticket', async () => {
  const ofShop = (id: string) => ({ ...incident(id), service: 'shop' });
  await monitorThatFinds({ incidents: [ofShop('pays'), ofShop('answers')] });
  await Promise.all(['t1', 't2'].map(sweep));
  const running = await env.client.workflow.getHandle('triage/shop').describe();
  expect(running.status.name).toBe('RUNNING');
  await env.client.workflow.getHandle('triage/shop').terminate('end of test');
});

it('at most 20 new triages a sweep, the most urgent first', async () => {
  const many = Array.from({ length: 25 }, (_, index) => incident(`storm_${String(index).padStart(2, '0')}`));
  await monitorThatFinds({ incidents: many });
  await sweep('storm');
  const open = await waitFor('20 triages', async () => {
    const ids = await openTriages('storm');
    return ids.length >= 20 && ids.sort();
  });
  expect(open).toEqual(many.slice(0, 20).map((one) => triageWorkflowId(one)));
  await Promise.all(open.map((id) => env.client.workflow.getHandle(id).terminate('end of test')));
});

it('a registry and tickets that are gone do not fail the sweep', async () => {
  await monitorThatFinds({
    transitions: [{ invariantId: 'a', revision: 1, health: downSince('a', T0) }],
    evidence: [{ workflowId: 'closed', evidence: { signature: 's', check: failed('a') } }],
    recovered: [
      { workflowId: 'closed', runId: '00000000-0000-4000-8000-000000000000', hint: { check: failed('a') } },
    ],
  });
  expect(await sweep('gone')).toEqual({ checked: 0, incidents: 0 });
});

it('a check that cannot run fails the sweep visibly after three tries, and opens nothing', async () => {
  let tries = 0;
  workers.push(
    await startWorker(env, 'monitor', {
      checkInvariants: () => {
        tries += 1;
        return Promise.reject(new Error('no sockets'));
      },
    }),
  );
  await expect(sweep('broken')).rejects.toThrow();
  expect(tries).toBe(3);
});

it('the schedule sweeps at once and again, and ensuring it twice keeps one', async () => {
  const inputs = await monitorThatFinds({});
  expect(await ensureMonitorSchedule(env.client, 1_000)).toEqual({ isPaused: false });
  await waitFor('a first sweep', () => Promise.resolve(inputs.length >= 1));
  expect(await ensureMonitorSchedule(env.client, 2_000)).toEqual({ isPaused: false });
  const schedule = env.client.schedule.getHandle(SCHEDULE_ID);
  const description = await schedule.describe();
  expect(description.spec.intervals?.map((interval) => interval.every)).toEqual([2_000]);
  expect(description.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 10_000 });
  await waitFor('a sweep by the clock', () => Promise.resolve(inputs.length >= 3));
  const runs: string[] = [];
  for await (const run of env.client.workflow.list({ query: `WorkflowType = "${WORKFLOWS.monitor}"` }))
    runs.push(run.workflowId);
  expect(runs.some((id) => id.startsWith(`${MONITOR_WORKFLOW_ID}-`))).toBe(true);
  await schedule.pause('by a person');
  expect(await ensureMonitorSchedule(env.client, 2_000)).toEqual({ isPaused: true });
  await schedule.delete();
});
