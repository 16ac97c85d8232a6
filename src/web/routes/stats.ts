import { Router } from 'express';
import { ticketStats } from '../../domain/ticket-stats';
import type { TicketView } from '../../domain/ticket-view';
import type { WebDependencies } from '../dependencies';
import { usdWire } from '../presenters';

const PAGE = 200;
/** What one answer may read; older tickets are in the archive all the same. */
const MAX_TICKETS = 1_000;

/** Counts and times over the newest tickets, live and archived, and what models cost. */
export function statsRoutes({ tickets, spend }: Pick<WebDependencies, 'tickets' | 'spend'>): Router {
  const router = Router();
  router.get('/stats', async (_request, response) => {
    const found: TicketView[] = [];
    let cursor: string | null = null;
    do {
      const page = await tickets.list({ limit: PAGE, ...(cursor !== null && { cursor }) });
      found.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor !== null && found.length < MAX_TICKETS);
    const stats = ticketStats(found);
    const { todayUsd, totalUsd, since, unpricedCalls } = await spend();
    response.json({
      tickets: stats.total,
      by_status: stats.byStatus,
      by_resolution: stats.byResolution,
      mttd_s: stats.mttdSeconds,
      mttr_s: stats.mttrSeconds,
      spend: {
        today_usd: usdWire(todayUsd),
        total_usd: usdWire(totalUsd),
        since,
        unpriced_calls: unpricedCalls,
      },
    });
  });
  return router;
}
