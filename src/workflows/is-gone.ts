import { ApplicationFailure } from '@temporalio/common';

/**
 * Whether a signal failed because its workflow has closed or never was. Such a failure comes from the server as an
 * ApplicationFailure whose type is the name of the cause, not as a WorkflowNotFoundError.
 */
export function isGone(error: unknown): boolean {
  return (
    error instanceof ApplicationFailure &&
    (error.type ?? '').toUpperCase().replaceAll('_', '').includes('EXTERNALWORKFLOWEXECUTIONNOTFOUND')
  );
}

/** Sends to a workflow that may have closed meanwhile, and then needs nothing from us. */
export async function ignoringGone(send: () => Promise<void>): Promise<void> {
  try {
    await send();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
}
