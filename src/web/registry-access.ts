import { randomUUID } from 'node:crypto';
import {
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { createRegistryReader } from '../client/registry-reader';
import type { TemporalAccess } from '../client/temporal';
import { FAILURES } from '../domain/failures';
import type { RegistryEvent } from '../domain/registry';
import { REGISTRY_WORKFLOW_ID, SIGNALS, UPDATES } from '../workflows/contract';
import type { RegistryChange } from '../workflows/contract';
import type { DismissedFailure, RegistryAccess } from './dependencies';
import { Problem } from './problem';

const READ_DEADLINE_MS = 5_000;
const CHANGE_DEADLINE_MS = 8_000;

const rejection = z.object({
  code: z.enum(['not_found', 'already_exists', 'file_owned', 'not_paused', 'invalid']),
  id: z.string(),
  message: z.string(),
});
const STATUS = {
  not_found: 404,
  already_exists: 409,
  file_owned: 409,
  not_paused: 409,
  invalid: 422,
} as const;
const TITLE = {
  not_found: 'Not found',
  already_exists: 'Already exists',
  file_owned: 'Owned by the configuration file',
  not_paused: 'Not paused',
  invalid: 'Invalid input',
} as const;

/** The registry: read from its history, changed by its update, which a monitor has to take within the deadline. */
export function registryAccess(
  access: TemporalAccess,
  changeDeadlineMs = CHANGE_DEADLINE_MS,
): RegistryAccess {
  const read = createRegistryReader(access);
  return {
    read: () => access.connection.withDeadline(Date.now() + READ_DEADLINE_MS, read),
    async change(change) {
      try {
        await access.connection.withDeadline(Date.now() + changeDeadlineMs, () => update(access, change));
      } catch (error) {
        throw changeProblem(error, changeDeadlineMs) ?? error;
      }
    },
    dismiss: (failure) =>
      access.connection.withDeadline(Date.now() + READ_DEADLINE_MS, () => dismiss(access, failure)),
  };
}

async function update(access: TemporalAccess, change: RegistryChange): Promise<void> {
  // The ID makes the client's own retries one update.
  await access.client.workflow
    .getHandle(REGISTRY_WORKFLOW_ID)
    .executeUpdate<number, [RegistryChange]>(UPDATES.changeRegistry, {
      args: [change],
      updateId: randomUUID(),
    });
}

async function dismiss(access: TemporalAccess, failure: DismissedFailure): Promise<void> {
  try {
    await access.client.workflow
      .getHandle(REGISTRY_WORKFLOW_ID)
      .signal<[RegistryEvent]>(SIGNALS.dismissed, { type: 'dismissed', ...failure });
  } catch (error) {
    // Without a registry nobody opens tickets.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

/** Null when the error has nothing to do with the registry. */
function changeProblem(error: unknown, deadlineMs: number): Problem | null {
  if (error instanceof WorkflowNotFoundError) {
    const detail =
      'The registry has not been started; start the monitor ("harness run", or "harness monitor").';
    return new Problem(503, 'No monitor', detail, { retryAfterS: 5 });
  }
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    const detail =
      `No monitor took the change within ${deadlineMs / 1_000} s. Is the monitor running ("harness status")? ` +
      'Look whether the change is there before you repeat it: it may still be taken.';
    return new Problem(503, 'No monitor', detail, { retryAfterS: 10 });
  }
  if (!(error instanceof WorkflowUpdateFailedError) || !(error.cause instanceof ApplicationFailure))
    return null;
  if (error.cause.type !== FAILURES.registryRejected) return null;
  const parsed = rejection.safeParse(error.cause.details?.[0]);
  if (!parsed.success) return new Problem(422, 'Refused by the registry', error.cause.message);
  const { code, message } = parsed.data;
  return new Problem(STATUS[code], TITLE[code], message);
}
