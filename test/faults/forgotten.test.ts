import { WorkflowNotFoundError } from '@temporalio/client';
import { fetchRun } from '../../src/client/history';
import { connectTemporal } from '../../src/client/temporal';
import { HarnessWorkspace } from '../support/harness-process';
import type { Json } from '../support/harness-process';
import { waitFor } from '../support/wait-for';

jest.setTimeout(150_000);

let workspace: HarnessWorkspace;

beforeAll(async () => {
  workspace = await HarnessWorkspace.create();
  await workspace.run();
});
afterAll(async () => {
  await workspace.dispose();
});

/** Kills the service and waits until the ticket of that has closed. */
async function repaired(isKnown: (ticket: Json) => boolean): Promise<Json> {
  await workspace.untilUp();
  process.kill(Number((await workspace.service())['pid']), 'SIGKILL');
  return await waitFor<Json>(
    'the ticket closes',
    async () => (await workspace.tickets()).find((one) => !isKnown(one) && one['closed_at'] !== null),
    { limitMs: 60_000, everyMs: 100 },
  );
}

/** What the server does by itself once a run is older than its retention. */
async function forget({ workflow_id: workflowId, run_id: runId }: Json): Promise<void> {
  const namespace = 'default';
  const address = String(workspace.endpoints()?.['temporal_address']);
  const access = await connectTemporal({ address, namespace }, { timeoutMs: 5_000 });
  try {
    const workflowExecution = { workflowId, runId };
    await access.client.workflowService.deleteWorkflowExecution({ namespace, workflowExecution });
    const isGone = () =>
      fetchRun(access, String(workflowId), String(runId)).then(
        () => false,
        (error: unknown) => error instanceof WorkflowNotFoundError,
      );
    await waitFor('the server has forgotten the run', isGone, { limitMs: 60_000 });
  } finally {
    await access.close();
  }
}

it('a ticket that the server has forgotten is told as before, and the next ticket knows of it', async () => {
  const ticket = await repaired(() => false);
  const told = async () => ({
    list: await workspace.tickets(),
    story: (await workspace.api('GET', `/tickets/${String(ticket['id'])}/trajectory`)).body,
    tickets: (await workspace.api('GET', '/stats')).body['tickets'] as number,
  });
  const before = await told();
  expect(before.tickets).toBe(1);
  await forget(ticket);
  expect(await told()).toEqual(before);
  expect(await repaired(({ id }) => id === ticket['id'])).toMatchObject({
    resolution: 'fixed',
    relapse_of: ticket['id'],
  });
});
