import { ruleVerdict } from '../../../src/domain/analyst-rules';
import type { EvidenceBundle } from '../../../src/domain/analyst-rules';
import type { Incident } from '../../../src/domain/incident';

const AT = '2026-01-01T00:00:00.000Z';
const incident: Incident = {
  invariantId: 'api_healthy',
  service: 'api',
  priority: 'high',
  detectedAt: AT,
  check: {
    invariantId: 'api_healthy',
    revision: 1,
    at: AT,
    ok: false,
    latencyMs: 1,
    resolved: {},
    error: 'refused',
  },
  joined: [],
};
const evidence: EvidenceBundle = {
  ticketId: 't',
  at: AT,
  items: [
    { id: 'E1', kind: 'check', at: AT, title: 'check failed', text: '' },
    { id: 'E2', kind: 'process', at: AT, title: 'api was ended by SIGKILL', text: '' },
  ],
};
const options = { description: 'api answers', forceOpenAfterMs: 60_000 };

it('always opens a ticket, names the service, and reads the cause off the process', () => {
  const verdict = ruleVerdict(incident, evidence, options);
  expect(verdict).toMatchObject({
    createTicket: true,
    objective: 'Bring api back: api answers',
    confidence: 0.8,
  });
  expect(verdict.suspectedCause).toBe('api was ended by SIGKILL; the check saw: refused');
  expect(verdict.context).toBe('[E1] check failed\n[E2] api was ended by SIGKILL');
});

it('without a process and a service it still says what the check saw', () => {
  const verdict = ruleVerdict(
    { ...incident, service: null },
    { ...evidence, items: [] },
    { ...options, description: '' },
  );
  expect(verdict).toMatchObject({
    objective: 'Bring api_healthy back: api_healthy holds again',
    confidence: 0.5,
  });
  expect(verdict.suspectedCause).toBe('The check saw: refused');
});

it('the success criteria name every joined invariant', () => {
  const joined = [{ ...incident.check, invariantId: 'api_fast' }];
  expect(ruleVerdict({ ...incident, joined }, evidence, options).successCriteria).toMatch(
    /^api_healthy, api_fast hold again/,
  );
});
