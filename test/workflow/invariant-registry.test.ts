import { WorkflowUpdateFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { createRegistryQuery } from '../../src/activities/registry-access';
import { createRegistryReader } from '../../src/client/registry-reader';
import { FAILURES } from '../../src/domain/failures';
import type { RegistryEvent, RegistryState } from '../../src/domain/registry';
import { ensureRegistry } from '../../src/workers/ensure-registry';
import { QUERIES, REGISTRY_WORKFLOW_ID, SIGNALS, UPDATES } from '../../src/workflows/contract';
import type { ChangeRegistry, RegistryNews } from '../../src/workflows/contract';
import { at, definition, downSince, T0 } from '../support/invariants';
import { accessOf, startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

type Change = Parameters<ChangeRegistry>[0];

let env: TestWorkflowEnvironment;
let worker: { stop(): Promise<void> };
let registry: WorkflowHandle;

beforeAll(async () => {
  env = await startTemporal();
});
beforeEach(async () => {
  worker = await startWorker(env, 'monitor', {});
  await ensureRegistry(accessOf(env), [], () => new Date(T0));
  registry = env.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
});
afterEach(async () => {
  await registry.terminate('end of test');
  await worker.stop();
});
afterAll(async () => {
  await env.teardown();
});

const change = (event: Change): Promise<number> =>
  registry.executeUpdate<number, [Change]>(UPDATES.changeRegistry, { args: [event] });
const state = (): Promise<RegistryState> => registry.query<RegistryState>(QUERIES.registryState);
const create = (id: string, over = {}): Change => ({
  type: 'put',
  at: T0,
  mode: 'create',
  definition: definition(id, over),
});
const isDown = (id: string, revision: number): RegistryEvent => ({
  type: 'transitions',
  at: at(5),
  transitions: [{ invariantId: id, revision, health: downSince(id, at(5)) }],
});

it('sends its state only to who has another one', async () => {
  const news = (known: string | null) =>
    registry.query<RegistryNews, [string | null]>(QUERIES.registryNews, known);
  const first = await news(null);
  expect(first.state).toEqual(await state());
  expect(await news(first.version)).toEqual({ version: first.version, state: null });
  await change(create('a'));
  const second = await news(first.version);
  expect(second.state?.invariants).toHaveProperty('a');
  const read = createRegistryQuery(accessOf(env));
  expect(await read()).toEqual(second.state);
  expect(await read()).toEqual(second.state);
  await registry.signal(SIGNALS.transitions, isDown('a', 1));
  expect((await read()).invariants['a']?.health.state).toBe('down');
});

it('an update answers with the revision, a refused one with the rejection and leaves no trace', async () => {
  expect(await change(create('a'))).toBe(1);
  const error: unknown = await change(create('a')).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(WorkflowUpdateFailedError);
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : null;
  expect(cause).toBeInstanceOf(ApplicationFailure);
  expect(cause).toMatchObject({
    type: FAILURES.registryRejected,
    nonRetryable: true,
    details: [{ code: 'already_exists', id: 'a' }],
  });
  const { events } = await registry.fetchHistory();
  const accepted = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes);
  expect(accepted).toHaveLength(1);
});

it('health reported for a definition that has changed meanwhile is void', async () => {
  const revision = await change(create('a'));
  await registry.signal(SIGNALS.transitions, isDown('a', revision));
  expect((await state()).invariants['a']?.health.state).toBe('down');
  await change({ type: 'put', at: T0, mode: 'replace', definition: definition('a', { priority: 'low' }) });
  await registry.signal(SIGNALS.transitions, isDown('a', revision));
  expect((await state()).invariants['a']).toMatchObject({
    revision: revision + 1,
    health: { state: 'unknown' },
  });
});

it('the fold of its history equals its own state, also when changes and health race', async () => {
  const ids = ['a', 'b', 'c', 'd'];
  const revisions = await Promise.all(ids.map((id) => change(create(id))));
  await Promise.all([
    ...ids.map((id, index) => registry.signal(SIGNALS.transitions, isDown(id, revisions[index] ?? 0))),
    change({ type: 'put', at: T0, mode: 'replace', definition: definition('a', { timeoutMs: 77 }) }),
    change({ type: 'set_enabled', at: T0, id: 'b', enabled: false }),
    change({ type: 'remove', at: T0, id: 'c' }),
  ]);
  const own = await state();
  expect(await createRegistryReader(accessOf(env))()).toEqual(own);
  expect(Object.keys(own.invariants).sort()).toEqual(['a', 'b', 'd']);
  expect(own.invariants['d']?.health.state).toBe('down');
});

it('survives its worker', async () => {
  await change(create('a'));
  await worker.stop();
  await registry.signal(SIGNALS.transitions, isDown('a', 1));
  worker = await startWorker(env, 'monitor', {});
  expect((await state()).invariants['a']?.health.state).toBe('down');
});

it('the file is applied when it changed, and only then', async () => {
  const file = [definition('of_file'), definition('other')];
  const apply = (definitions: typeof file) => ensureRegistry(accessOf(env), definitions, () => new Date());
  expect(await apply(file)).toEqual({ hasChanged: true });
  await registry.signal(SIGNALS.transitions, isDown('of_file', 1));
  expect(await apply(file)).toEqual({ hasChanged: false });
  expect((await state()).invariants['of_file']?.health.state).toBe('down');
  expect(await apply([definition('of_file')])).toEqual({ hasChanged: true });
  expect((await state()).invariants['other']).toMatchObject({
    source: 'api',
    definition: { enabled: false },
  });
});
