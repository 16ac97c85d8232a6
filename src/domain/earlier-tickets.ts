import type { TicketView } from './ticket-view';

export type EarlierTicket = Pick<
  TicketView,
  'id' | 'status' | 'resolution' | 'detectedAt' | 'closedAt' | 'suspectedCause'
>;

/** The ticket that a new failure is a relapse of: the last one closed, if that was less than `cooldownMs` before `at`. */
export function relapseOf(earlier: readonly EarlierTicket[], at: string, cooldownMs: number): string | null {
  const [last] = earlier
    .filter(({ closedAt }) => closedAt !== null)
    .sort((a, b) => ((a.closedAt ?? '') < (b.closedAt ?? '') ? 1 : -1));
  if (!last?.closedAt) return null;
  return Date.parse(at) - Date.parse(last.closedAt) < cooldownMs ? last.id : null;
}
