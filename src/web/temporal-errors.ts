import { isGrpcServiceError } from '@temporalio/client';

/** temporal uses gRPC's numbers: CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAVAILABLE. */
const UNAVAILABLE = new Set([1, 4, 8, 14]);
const MAX_CAUSES = 5;

/** Whether the Temporal service did not answer, as opposed to having said no. */
export function isTemporalUnavailable(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if (isGrpcServiceError(current) && UNAVAILABLE.has(current.code)) return true;
    // The client was closed under the request: the process is stopping, or reconnecting.
    if (current.message === 'Channel has been shut down') return true;
    current = current.cause;
  }
  return false;
}
