import { createCheckInvariants } from '../../../src/activities/check-invariants';
import { createSamples } from '../../../src/activities/samples';
import type { Incident, OpenTicket } from '../../../src/domain/incident';
import type { Priority } from '../../../src/domain/invariant';
import type { RegisteredInvariant } from '../../../src/domain/registry';
import type { SweepReport } from '../../../src/workflows/contract';
import { MAX_NEW_INCIDENTS, triageWorkflowId } from '../../../src/workflows/contract';
import { activityEnvironment } from '../../support/activity-environment';
import { at, downSince, failed, registered } from '../../support/invariants';

const PRIORITIES: readonly Priority[] = ['low', 'critical', 'medium', 'high'];
const STORM: readonly RegisteredInvariant[] = Array.from({ length: 1_000 }, (_, index) => {
  const id = `inv_${String(index).padStart(4, '0')}`;
  const priority = PRIORITIES[index % PRIORITIES.length] ?? 'low';
  return registered(id, { priority }, downSince(id, at(index)));
});

const toTicket = ({ invariantId }: Incident): OpenTicket => ({
  invariantId,
  service: null,
  ticketId: invariantId,
  runId: invariantId,
  status: 'pending',
  joinedInvariants: [],
  failure: null,
  fingerprint: null,
});

/** Sweeps over a thousand failing invariants; what a sweep begins is open, as a ticket or as a triage that takes for ever. */
function stormySweeps(becomes: 'ticket' | 'triage') {
  const begun: Incident[] = [];
  const sweep = createCheckInvariants({
    readRegistry: () =>
      Promise.resolve({
        revision: 1,
        invariants: Object.fromEntries(STORM.map((one) => [one.definition.id, one])),
      }),
    snapshot: () => Promise.resolve({ components: [], services: [] }),
    openTickets: () => Promise.resolve(becomes === 'ticket' ? begun.map(toTicket) : []),
    openTriages: () => Promise.resolve(new Set(becomes === 'triage' ? begun.map(triageWorkflowId) : [])),
    lookAtPorts: () => () => () => null,
    takeFingerprint: () => Promise.resolve(null),
    probe: ({ definition }) =>
      Promise.resolve(failed(definition.id, { at: new Date().toISOString(), error: 'e'.repeat(200) })),
    samples: createSamples(),
    now: () => new Date(),
    log: { info: () => undefined, error: () => undefined },
    concurrency: 64,
    sweepLimitMs: 60_000,
  });
  return {
    begun,
    next: async () => {
      const input = { scope: { kind: 'all' }, confirmed: false, includeChecks: false } as const;
      const report: SweepReport = await activityEnvironment().run(sweep, input);
      begun.push(...report.incidents);
      return report;
    },
  };
}

describe('a thousand failing invariants', () => {
  it.each(['ticket', 'triage'] as const)(
    'at most 20 begin in a sweep, by priority and age, and each of them once, when each begun stays a %s',
    async (becomes) => {
      const storm = stormySweeps(becomes);
      for (let sweeps = 1; sweeps <= 50; sweeps += 1) {
        expect((await storm.next()).incidents).toHaveLength(MAX_NEW_INCIDENTS);
      }
      expect((await storm.next()).incidents).toEqual([]);
      const ids = storm.begun.map(({ invariantId }) => invariantId);
      expect(new Set(ids).size).toBe(1_000);
      const priorities = storm.begun.map(({ priority }) => priority);
      const inOrder = ['critical', 'high', 'medium', 'low'].flatMap((one) => Array<string>(250).fill(one));
      expect(priorities).toEqual(inOrder);
      const critical = ids.slice(0, 250);
      expect(critical).toEqual([...critical].sort());
    },
  );

  it('one report of them stays far below the 2 MB that Temporal takes', async () => {
    const report = await stormySweeps('ticket').next();
    expect(report.transitions).toHaveLength(1_000);
    expect(JSON.stringify(report).length).toBeLessThan(1_000_000);
  });
});
