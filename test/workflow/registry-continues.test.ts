import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRegistryReader } from '../../src/client/registry-reader';
import type { RegistryState } from '../../src/domain/registry';
import { ensureRegistry } from '../../src/workers/ensure-registry';
import { QUERIES, REGISTRY_WORKFLOW_ID, SIGNALS, UPDATES } from '../../src/workflows/contract';
import { at, definition, downSince, T0 } from '../support/invariants';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

const EVENTS_PER_RUN = 40;
let env: TestWorkflowEnvironment;

beforeAll(async () => {
  env = await startTemporal(
    '--dynamic-config-value',
    `limit.historyCount.suggestContinueAsNew=${EVENTS_PER_RUN}`,
  );
});
afterAll(async () => {
  await env.teardown();
});

it('a long history continues as new: no definition and no health is lost, the fold stays equal', async () => {
  const worker = await startWorker(env, 'monitor', {});
  await ensureRegistry(accessOf(env), [definition('from_file')], () => new Date(T0));
  const registry = env.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
  const first = (await registry.describe()).runId;
  for (let n = 0; n < EVENTS_PER_RUN; n += 1) {
    const id = `made_${n}`;
    const put = { type: 'put', at: T0, mode: 'create', definition: definition(id) } as const;
    const revision = await registry.executeUpdate<number, [typeof put]>(UPDATES.changeRegistry, {
      args: [put],
    });
    const transitions = [{ invariantId: id, revision, health: downSince(id, at(n)) }];
    await registry.signal(SIGNALS.transitions, { type: 'transitions', at: at(n), transitions });
  }
  const state = await registry.query<RegistryState>(QUERIES.registryState);
  expect((await registry.describe()).runId).not.toBe(first);
  expect(Object.keys(state.invariants)).toHaveLength(EVENTS_PER_RUN + 1);
  const unhealthy = Object.values(state.invariants).filter((entry) => entry.health.state === 'down');
  expect(unhealthy).toHaveLength(EVENTS_PER_RUN);
  expect(await createRegistryReader(accessOf(env))()).toEqual(state);
  await registry.terminate('end of test');
  await worker.stop();
});
