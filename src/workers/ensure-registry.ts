import { WorkflowIdConflictPolicy } from '@temporalio/client';
import { createRegistryQuery } from '../activities/registry-access';
import type { TemporalAccess } from '../client/temporal';
import type { InvariantDefinition } from '../domain/invariant';
import { reduceRegistry } from '../domain/registry';
import type { RegistryChange, RegistryInput } from '../workflows/contract';
import { QUEUES, REGISTRY_WORKFLOW_ID, UPDATES, WORKFLOWS } from '../workflows/contract';

const UPDATE_LIMIT_MS = 10_000;

/** Starts the registry if it is not running and gives it the file's invariants if they changed. Needs a worker that runs. */
export async function ensureRegistry(
  access: TemporalAccess,
  definitions: readonly InvariantDefinition[],
  now: () => Date,
): Promise<{ readonly hasChanged: boolean }> {
  const input: RegistryInput = { state: null };
  const handle = await access.client.workflow.start(WORKFLOWS.invariantRegistry, {
    workflowId: REGISTRY_WORKFLOW_ID,
    taskQueue: QUEUES.monitor,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    staticSummary: 'definitions and health of every invariant',
  });
  const change: RegistryChange = {
    type: 'sync_file',
    at: now().toISOString(),
    definitions,
  };
  const state = await createRegistryQuery(access)();
  if (reduceRegistry(state, change) === state) return { hasChanged: false };
  await access.client.withDeadline(Date.now() + UPDATE_LIMIT_MS, () =>
    handle.executeUpdate<number, [typeof change]>(UPDATES.changeRegistry, { args: [change] }),
  );
  return { hasChanged: true };
}
