import { createAnalyzeFailure } from '../../../src/activities/analyst';
import type { Incident } from '../../../src/domain/incident';

const incident: Incident = {
  invariantId: 'api_healthy',
  service: 'api',
  priority: 'high',
  detectedAt: '2026-01-01T00:00:00.000Z',
  check: {
    invariantId: 'api_healthy',
    revision: 1,
    at: '2026-01-01T00:00:01.000Z',
    ok: false,
    latencyMs: 1,
    resolved: {},
    error: 'refused',
  },
  joined: [],
};
const evidence = { ticketId: 'T1', at: incident.detectedAt, items: [] };

async function askModelOf(openByMs: number | null, now: string) {
  const analyzeFailure = createAnalyzeFailure({
    describeInvariant: () => Promise.resolve('api answers'),
    forceOpenAfterMs: 60_000,
    openByMs,
    now: () => new Date(now),
  });
  const verdict = await analyzeFailure({ incident, evidence });
  expect(verdict).toMatchObject({ by: 'runbook', createTicket: true });
  return verdict.askModel;
}

it.each([
  [
    'counted from the first failed check, not from now',
    '2026-01-01T00:00:03.000Z',
    '2026-01-01T00:00:08.000Z',
  ],
  ['a clock that was set back does not prolong it', '2025-12-31T23:00:00.000Z', '2025-12-31T23:00:08.000Z'],
])('a model has until then: %s', async (_what, now, openBy) => {
  expect(await askModelOf(8_000, now)).toEqual({ openBy });
});

it('without a model nobody is asked', async () => {
  expect(await askModelOf(null, '2026-01-01T00:00:03.000Z')).toBeNull();
});
