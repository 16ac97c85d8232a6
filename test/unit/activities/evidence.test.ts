import { createCollectEvidence } from '../../../src/activities/evidence';
import type { EvidenceDeps } from '../../../src/activities/evidence';
import type { CheckResult } from '../../../src/domain/check';
import { initialHealth } from '../../../src/domain/health';
import type { Incident } from '../../../src/domain/incident';
import { INVARIANT_DEFAULTS } from '../../../src/domain/invariant';
import { EMPTY_REGISTRY } from '../../../src/domain/registry';
import type { RegistryState } from '../../../src/domain/registry';
import type { ServiceStatus } from '../../../src/domain/service-state';

const AT = '2026-01-01T00:00:00.000Z';
const check: CheckResult = {
  invariantId: 'api_healthy',
  revision: 1,
  at: AT,
  ok: false,
  latencyMs: 2,
  resolved: { status: 503 },
  error: 'status == 200 is false (status 503)',
};
const incident: Incident = {
  invariantId: 'api_healthy',
  service: 'api',
  priority: 'high',
  detectedAt: AT,
  check,
  joined: [{ ...check, invariantId: 'api_fast' }],
};
const status: ServiceStatus = {
  name: 'api',
  state: 'exited',
  pid: null,
  startedAt: AT,
  exit: { code: null, signal: 'SIGKILL', at: AT },
  restarts: 0,
  ready: false,
  desired: 'running',
};

const never = () => new Promise<never>(() => undefined);

function deps(change: Partial<EvidenceDeps> = {}): EvidenceDeps {
  return {
    control: {
      snapshot: () => Promise.resolve({ services: [status], components: [] }),
      act: () => Promise.reject(new Error('evidence must not act')),
    },
    readLogs: () => Promise.resolve([{ at: AT, line: 'password=hunter22' }]),
    whatChanged: () => Promise.resolve(null),
    readMetrics: null,
    readRegistry: () => Promise.resolve(EMPTY_REGISTRY),
    dependsOn: () => [],
    earlierTickets: () => Promise.resolve([]),
    closedTickets: () => Promise.resolve([]),
    openTickets: () => Promise.resolve([]),
    relapsesWithinMs: () => 600_000,
    cooldownMs: 600_000,
    redact: (text) => text.replaceAll('hunter22', '[redacted]'),
    now: () => new Date(AT),
    newId: () => 'minted',
    ...change,
  };
}

it('gives every fact an ID, the owner first, and says how the process ended', async () => {
  const bundle = await createCollectEvidence(deps())(incident);
  expect(bundle.ticketId).toBe('minted');
  expect(bundle.items.map((item) => [item.id, item.kind, item.title])).toEqual([
    ['E1', 'check', 'check api_healthy failed: status == 200 is false (status 503)'],
    ['E2', 'check', 'check api_fast failed: status == 200 is false (status 503)'],
    ['E3', 'process', `api was ended by SIGKILL at ${AT}`],
    ['E4', 'logs', 'last 1 log lines of api'],
  ]);
});

it.each<[string, string | null, string, string | null]>([
  ['its service has an open ticket', 'api', 'api', 'api_fast'],
  ['another service has one', 'api', 'shop', null],
  ['it belongs to no service', null, 'api', null],
])('%s: the bundle says so', async (_name, service, ofTicket, openTicket) => {
  const ticket = {
    invariantId: 'api_fast',
    service: ofTicket,
    ticketId: 't',
    runId: 'r',
    status: 'pending',
    joinedInvariants: [],
    failure: null,
    fingerprint: null,
  };
  const collect = createCollectEvidence(deps({ openTickets: () => Promise.resolve([ticket]) }));
  expect(await collect({ ...incident, service })).toMatchObject({ openTicket });
});

it('masks secrets before anything reaches a history', async () => {
  const bundle = await createCollectEvidence(deps())(incident);
  expect(JSON.stringify(bundle)).not.toContain('hunter22');
  const unmasked = await createCollectEvidence(deps({ redact: (text) => text }))(incident);
  expect(JSON.stringify(unmasked)).toContain('hunter22');
});

it.each<[string, Partial<EvidenceDeps>]>([
  ['refuses', { control: { snapshot: () => Promise.reject(new Error('no socket')), act: never } }],
  ['hangs', { control: { snapshot: never, act: never } }],
])('a source that %s costs its item, not the bundle', async (_name, change) => {
  const bundle = await createCollectEvidence(deps(change))(incident);
  expect(bundle.items.map((item) => item.kind)).toEqual(['check', 'check', 'logs']);
});

it('an invariant without a service has its checks as evidence', async () => {
  const bundle = await createCollectEvidence(deps({ readLogs: never }))({
    ...incident,
    service: null,
    joined: [],
  });
  expect(bundle.items.map((item) => item.kind)).toEqual(['check']);
});

describe('earlier tickets', () => {
  const closed = (id: string, secondsAgo: number) => ({
    id,
    status: 'completed' as const,
    resolution: 'fixed' as const,
    detectedAt: AT,
    closedAt: new Date(Date.parse(AT) - secondsAgo * 1_000).toISOString(),
    suspectedCause: 'it was killed, password=hunter22',
  });
  const bundleOf = (...tickets: ReturnType<typeof closed>[]) =>
    createCollectEvidence(deps({ earlierTickets: () => Promise.resolve(tickets) }))(incident);

  it('are evidence, masked; the last one closed within the cooldown is what this is a relapse of', async () => {
    const bundle = await bundleOf(closed('T1', 599), closed('T0', 700));
    expect(bundle.relapseOf).toBe('T1');
    const item = bundle.items.find(({ kind }) => kind === 'report');
    expect(item?.text).toMatch(/^T1: fixed.*\nT0: fixed/);
    expect(item?.text).not.toContain('hunter22');
  });

  it('closed longer ago than the cooldown: no relapse', async () => {
    expect((await bundleOf(closed('T1', 600))).relapseOf).toBeNull();
  });

  it('that cannot be read cost their item only', async () => {
    const broken = () => Promise.reject(new Error('no server'));
    const bundle = await createCollectEvidence(deps({ earlierTickets: broken }))(incident);
    expect(bundle.relapseOf).toBeNull();
    expect(bundle.items).toHaveLength(4);
  });
});

describe('repairs that did not last', () => {
  const closed = (secondsAgo: number) => ({
    resolution: 'fixed',
    detectedAt: new Date(Date.parse(AT) - (secondsAgo + 2) * 1_000).toISOString(),
    closedAt: new Date(Date.parse(AT) - secondsAgo * 1_000).toISOString(),
  });
  const relapsesOf = async (change: Partial<EvidenceDeps>, about = incident) =>
    (await createCollectEvidence(deps(change))(about)).relapses;

  it('are counted over the tickets of the service within its time', async () => {
    const asked: string[] = [];
    const closedTickets: EvidenceDeps['closedTickets'] = (service, since) => {
      asked.push(service, since);
      return Promise.resolve([closed(5), closed(30)]);
    };
    expect(await relapsesOf({ closedTickets })).toBe(2);
    expect(asked).toEqual(['api', new Date(Date.parse(AT) - 720_000).toISOString()]);
    expect(await relapsesOf({ closedTickets, relapsesWithinMs: () => 1_000 })).toBe(1);
  });

  it.each([
    ['without a service', {}, { ...incident, service: null }],
    ['when they cannot be read', { closedTickets: () => Promise.reject(new Error('no server')) }, incident],
  ])('%s: none', async (_name, change, about) => {
    expect(await relapsesOf(change, about)).toBe(0);
  });
});

describe('what surrounds the failure', () => {
  const registered = (id: string, service: string): RegistryState['invariants'][string] => ({
    definition: {
      ...INVARIANT_DEFAULTS,
      id,
      name: id,
      service,
      query: 'http://127.0.0.1:1/health?token=hunter22',
      condition: 'status == 200',
      request: { ...INVARIANT_DEFAULTS.request, headers: { authorization: 'Bearer abcdefgh' } },
    },
    source: 'file',
    revision: 1,
    updatedAt: AT,
    health: { ...initialHealth(AT), state: 'down' },
  });
  const around: Partial<EvidenceDeps> = {
    whatChanged: () =>
      Promise.resolve({
        since: AT,
        changed: [{ path: '/api.json', change: 'modified', sha256: 'abc' }],
        parts: ['/api.json (changed)\n-a: 1\n+a: hunter22'],
      }),
    readMetrics: () => Promise.resolve(['requests_total 7']),
    readRegistry: () =>
      Promise.resolve({
        revision: 1,
        invariants: {
          api_healthy: registered('api_healthy', 'api'),
          api_fast: registered('api_fast', 'api'),
          db_healthy: registered('db_healthy', 'db'),
        },
      }),
    dependsOn: () => ['db', 'queue'],
    control: {
      snapshot: () =>
        Promise.resolve({ services: [status, { ...status, name: 'db', state: 'running' }], components: [] }),
      act: never,
    },
  };

  it('is evidence: changed files, metrics, other invariants, dependencies, how it is checked', async () => {
    const { items } = await createCollectEvidence(deps(around))(incident);
    expect(items.slice(4).map(({ id, kind, title }) => [id, kind, title])).toEqual([
      ['E5', 'report', `1 files changed since api last worked with its files (${AT})`],
      ['E6', 'metrics', 'metrics of api'],
      ['E7', 'report', 'the other invariants of api, and what it depends on'],
      ['E8', 'report', 'how api_healthy is checked'],
    ]);
    expect(items[6]?.text).toBe(
      [
        `invariant api_fast of api: down since ${AT}`,
        'api depends on db: running, not ready',
        `invariant db_healthy of db: down since ${AT}`,
        'api depends on queue: not known to the supervisor',
      ].join('\n'),
    );
    expect(items[7]?.text).toContain('status == 200');
    expect(JSON.stringify(items)).not.toMatch(/hunter22|abcdefgh/);
  });

  it('costs its items only when it cannot be read', async () => {
    const broken = () => Promise.reject(new Error('broken'));
    const change = {
      whatChanged: broken,
      readMetrics: broken,
      readRegistry: broken,
      dependsOn: () => ['db'],
    };
    expect((await createCollectEvidence(deps(change))(incident)).items).toHaveLength(4);
  });
});
