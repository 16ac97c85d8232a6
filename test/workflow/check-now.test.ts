import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { CheckNowResult, CheckTarget, RecheckRequest, SweepInput } from '../../src/workflows/contract';
import { checkWorkflowId, QUEUES, SIGNALS, WORKFLOWS } from '../../src/workflows/contract';
import { check, failed, T0 } from '../support/invariants';
import { waitFor } from '../support/wait-for';
import { startTemporal, startWorker } from '../support/workflow-environment';

jest.setTimeout(60_000);

let env: TestWorkflowEnvironment;
let worker: { stop(): Promise<void> } | null = null;

beforeAll(async () => {
  env = await startTemporal();
});
afterEach(async () => {
  await worker?.stop();
  worker = null;
});
afterAll(async () => {
  await env.teardown();
});

interface Sweep {
  readonly input: SweepInput;
  readonly finish: (ok: boolean) => void;
}

/** Sweeps end when the test says so. */
async function startMonitor(): Promise<Sweep[]> {
  const sweeps: Sweep[] = [];
  worker = await startWorker(env, 'monitor', {
    checkInvariants: async (input) => {
      const ok = await new Promise<boolean>((finish) => sweeps.push({ input, finish }));
      const checks = [ok ? check('a') : failed('a')];
      return { at: T0, checked: 1, transitions: [], incidents: [], evidence: [], recovered: [], checks };
    },
  });
  return sweeps;
}

const ask = (target: CheckTarget, cause: RecheckRequest['cause']): Promise<WorkflowHandle> =>
  env.client.workflow.signalWithStart(WORKFLOWS.checkNow, {
    workflowId: checkWorkflowId(target),
    taskQueue: QUEUES.monitor,
    args: [{ target }],
    signal: SIGNALS.recheck,
    signalArgs: [{ cause }],
  });
const resultOf = (handle: WorkflowHandle): Promise<CheckNowResult> =>
  handle.result() as Promise<CheckNowResult>;
const WEB: CheckTarget = { kind: 'service', service: 'web' };
const sweepNumber = (sweeps: readonly Sweep[], count: number): Promise<Sweep> =>
  waitFor(`sweep ${count}`, () => Promise.resolve(sweeps[count - 1]));

it.each([
  ['exit', true],
  ['person', false],
  ['event', false],
] as const)('cause %s: one sweep over the target, confirmed %s', async (cause, confirmed) => {
  const sweeps = await startMonitor();
  const handle = await ask(WEB, cause);
  (await sweepNumber(sweeps, 1)).finish(false);
  expect((await resultOf(handle)).checks).toMatchObject([{ invariantId: 'a', ok: false }]);
  expect(sweeps.map(({ input }) => input)).toEqual([{ scope: WEB, confirmed, includeChecks: true }]);
});

it('a request during a check is answered by one more check, and everybody gets the last result', async () => {
  const sweeps = await startMonitor();
  const first = await ask(WEB, 'event');
  const running = await sweepNumber(sweeps, 1);
  const later = await Promise.all([ask(WEB, 'exit'), ask(WEB, 'person'), ask(WEB, 'person')]);
  running.finish(false);
  (await sweepNumber(sweeps, 2)).finish(true);
  expect((await resultOf(first)).checks).toMatchObject([{ ok: true }]);
  for (const handle of later) expect(await resultOf(handle)).toEqual(await resultOf(first));
  expect(sweeps.map(({ input }) => input.confirmed)).toEqual([false, true]);
});

it('a request at the very moment it ends is never lost', async () => {
  const sweeps = await startMonitor();
  const asked = 15;
  for (let request = 1; request <= asked; request += 1) {
    const before = sweeps.length;
    const handle = await ask(WEB, 'event');
    // Whether the signal meets the run that is just ending or starts a new one is chance; a check must begin after it.
    const started = await waitFor('a check after the request', () => Promise.resolve(sweeps[before]));
    started.finish(true);
    if (request === asked) await resultOf(handle);
  }
  expect(sweeps.length).toBeGreaterThanOrEqual(asked);
});

it('targets have runs of their own', async () => {
  const sweeps = await startMonitor();
  const target: CheckTarget = { kind: 'invariant', invariantId: 'a' };
  const handles = await Promise.all([ask(WEB, 'person'), ask(target, 'person')]);
  (await sweepNumber(sweeps, 1)).finish(true);
  (await sweepNumber(sweeps, 2)).finish(true);
  await Promise.all(handles.map(resultOf));
  expect(handles.map((handle) => handle.workflowId).sort()).toEqual(['check/invariant/a', 'check/web']);
});
