import type { TicketResolution, TicketStatus } from './ticket';
import { TICKET_STATUSES } from './ticket';
import type { TicketView } from './ticket-view';

const RESOLUTIONS: readonly TicketResolution[] = ['fixed', 'self_recovered', 'dismissed', 'cancelled'];

export interface TicketStats {
  readonly total: number;
  readonly byStatus: Readonly<Record<TicketStatus, number>>;
  readonly byResolution: Readonly<Record<TicketResolution, number>>;
  /** Mean seconds from the first failed check to the ticket; null without tickets. */
  readonly mttdSeconds: number | null;
  /** Mean seconds from the first failed check to the proven recovery; null when none has recovered. */
  readonly mttrSeconds: number | null;
}

type Counted = Pick<TicketView, 'status' | 'resolution' | 'detectedAt' | 'createdAt' | 'closedAt'>;

export function ticketStats(tickets: readonly Counted[]): TicketStats {
  const count = <T extends string>(names: readonly T[], of: (ticket: Counted) => T | null) =>
    Object.fromEntries(
      names.map((name) => [name, tickets.filter((ticket) => of(ticket) === name).length]),
    ) as Record<T, number>;
  const recovered = tickets.filter(({ status }) => status === 'completed');
  return {
    total: tickets.length,
    byStatus: count(TICKET_STATUSES, ({ status }) => status),
    byResolution: count(RESOLUTIONS, ({ resolution }) => resolution),
    mttdSeconds: mean(tickets.map(({ detectedAt, createdAt }) => seconds(detectedAt, createdAt))),
    mttrSeconds: mean(recovered.map(({ detectedAt, closedAt }) => seconds(detectedAt, closedAt))),
  };
}

function seconds(from: string, to: string | null): number {
  return (Date.parse(to ?? '') - Date.parse(from)) / 1_000;
}

/** To the millisecond; moments that cannot be read are left out. */
function mean(values: readonly number[]): number | null {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return null;
  return Math.round((known.reduce((sum, value) => sum + value, 0) / known.length) * 1_000) / 1_000;
}
