import { isGrpcDeadlineError } from '@temporalio/client';

/** Whether a call failed because its deadline (ms since 1970) was over; one that is cut off does not always say so. */
export function isTooLate(error: unknown, deadline: number): boolean {
  return isGrpcDeadlineError(error) || Date.now() >= deadline;
}
