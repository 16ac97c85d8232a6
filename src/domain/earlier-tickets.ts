import type { TicketView } from './ticket-view';

export type EarlierTicket = Pick<
  TicketView,
  'id' | 'status' | 'resolution' | 'detectedAt' | 'closedAt' | 'suspectedCause'
>;

/** How a ticket ended, without its story. */
export interface ClosedTicket {
  readonly resolution: string;
  readonly detectedAt: string;
  readonly closedAt: string;
}

/** A repair that failed again so soon after its proof did not last. */
const RELAPSE_MS = 60_000;

/**
 * How many repairs of a service did not last, up to and including the failure detected at `detectedAt`: each was proven and
 * failed again within 60 s, all within `withinMs`. Failures that lie further apart have nothing to do with each other.
 */
export function countRelapses(
  earlier: readonly ClosedTicket[],
  detectedAt: string,
  withinMs: number,
): number {
  const inOrder = [...earlier].sort((a, b) => Date.parse(a.detectedAt) - Date.parse(b.detectedAt));
  return inOrder.filter(({ resolution, closedAt }, index) => {
    if (resolution !== 'fixed') return false;
    const failedAgainMs = Date.parse(inOrder[index + 1]?.detectedAt ?? detectedAt);
    // A failure is never long before the close it follows on, unless the clock was set.
    const isSoon = Math.abs(failedAgainMs - Date.parse(closedAt)) < RELAPSE_MS;
    return isSoon && Date.parse(detectedAt) - failedAgainMs <= withinMs;
  }).length;
}

/** The ticket that a new failure is a relapse of: the last one closed, if that was less than `cooldownMs` before `at`. */
export function relapseOf(earlier: readonly EarlierTicket[], at: string, cooldownMs: number): string | null {
  const [last] = earlier
    .filter(({ closedAt }) => closedAt !== null)
    .sort((a, b) => ((a.closedAt ?? '') < (b.closedAt ?? '') ? 1 : -1));
  if (!last?.closedAt) return null;
  return Date.parse(at) - Date.parse(last.closedAt) < cooldownMs ? last.id : null;
}
