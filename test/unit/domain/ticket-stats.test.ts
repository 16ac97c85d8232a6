import { ticketStats } from '../../../src/domain/ticket-stats';
import { at, T0 } from '../../support/invariants';

const base = { detectedAt: T0, createdAt: at(500) };

it('counts every ticket, times recoveries only', () => {
  const stats = ticketStats([
    { ...base, status: 'completed', resolution: 'fixed', closedAt: at(2_000) },
    { ...base, status: 'completed', resolution: 'self_recovered', closedAt: at(4_000) },
    { ...base, status: 'failed', resolution: 'dismissed', closedAt: at(900_000) },
    { ...base, createdAt: at(1_500), status: 'blocked', resolution: null, closedAt: null },
  ]);
  expect(stats).toEqual({
    total: 4,
    byStatus: { pending: 0, in_progress: 0, blocked: 1, completed: 2, failed: 1 },
    byResolution: { fixed: 1, self_recovered: 1, dismissed: 1, cancelled: 0 },
    mttdSeconds: 0.75,
    mttrSeconds: 3,
  });
});

it('without tickets there are no times, and unreadable moments are left out', () => {
  expect(ticketStats([])).toMatchObject({ total: 0, mttdSeconds: null, mttrSeconds: null });
  const broken = { detectedAt: '', createdAt: T0, closedAt: T0 } as const;
  expect(ticketStats([{ ...broken, status: 'completed', resolution: 'fixed' }]).mttrSeconds).toBeNull();
});
