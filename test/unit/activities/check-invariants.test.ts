import { ApplicationFailure, CancelledFailure } from '@temporalio/common';

import { createCheckInvariants } from '../../../src/activities/check-invariants';
import type { CheckDeps } from '../../../src/activities/check-invariants';
import type { Probe } from '../../../src/activities/probe';
import { createSamples } from '../../../src/activities/samples';
import { FAILURES } from '../../../src/domain/failures';
import type { OpenTicket } from '../../../src/domain/incident';
import type { RegisteredInvariant, RegistryState } from '../../../src/domain/registry';
import type { ServiceStatus } from '../../../src/domain/service-state';
import type { SweepInput, SweepReport } from '../../../src/workflows/contract';
import { activityEnvironment } from '../../support/activity-environment';
import { check, downSince, failed, registered, T0 } from '../../support/invariants';

const ALL: SweepInput = { scope: { kind: 'all' }, confirmed: false, includeChecks: false };
const QUICK = {
  confirm: { attempts: 3, spacingMs: 1 },
  recover: { successes: 3, spacingMs: 1 },
  service: 'web',
};

type Step = boolean | 'hang' | { readonly error: string };
/** Answers each invariant's probes from its script, then fails loudly. `hang` answers only when cancelled. */
function scripted(script: Record<string, Step[]>): Probe & { timeouts: number[]; most: number } {
  const left = new Map(Object.entries(script).map(([id, steps]) => [id, [...steps]]));
  let running = 0;
  const probe = async ({ definition, revision }: Parameters<Probe>[0], options: Parameters<Probe>[1]) => {
    const step = left.get(definition.id)?.shift();
    if (step === undefined) throw new Error(`no more answers for ${definition.id}`);
    probe.timeouts.push(options.timeoutMs);
    running += 1;
    probe.most = Math.max(probe.most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    if (step === 'hang') {
      await new Promise((_resolve, reject) =>
        options.signal.addEventListener('abort', () => reject(options.signal.reason as Error)),
      );
    }
    const at = new Date().toISOString();
    if (step === true) return check(definition.id, { revision, at });
    return failed(definition.id, { revision, at, ...(typeof step === 'object' ? step : {}) });
  };
  probe.timeouts = [] as number[];
  probe.most = 0;
  return probe;
}

interface World extends Partial<CheckDeps> {
  readonly invariants: readonly RegisteredInvariant[];
  readonly services?: readonly Partial<ServiceStatus>[];
  readonly tickets?: readonly OpenTicket[];
}

function activity({ invariants, services = [], tickets = [], ...over }: World) {
  return createCheckInvariants({
    readRegistry: () =>
      Promise.resolve({
        revision: 1,
        invariants: Object.fromEntries(invariants.map((one) => [one.definition.id, one])),
      }),
    snapshot: () =>
      Promise.resolve({
        components: [],
        services: services.map((one) => ({
          name: 'web',
          state: 'running',
          pid: 1,
          startedAt: T0,
          exit: null,
          restarts: 0,
          ready: true,
          desired: 'running',
          ...one,
        })),
      }),
    openTickets: () => Promise.resolve(tickets),
    openTriages: () => Promise.reject(new Error('not asked for in calm times')),
    probe: scripted({}),
    lookAtPorts: () => () => () => null,
    takeFingerprint: () => Promise.resolve('as-left'),
    samples: createSamples(),
    now: () => new Date(),
    log: { info: () => undefined, error: () => undefined },
    concurrency: 64,
    ...over,
  });
}

const run = (world: World, input: SweepInput = ALL): Promise<SweepReport> =>
  activityEnvironment().run(activity(world), input);
const up = (id: string, over = {}): RegisteredInvariant =>
  registered(id, { ...QUICK, ...over }, { state: 'up' });
const down = (id: string): RegisteredInvariant => registered(id, QUICK, downSince(id, T0));
const ticket = (over: Partial<OpenTicket> = {}): OpenTicket => ({
  invariantId: 'a',
  service: 'web',
  ticketId: 't',
  runId: 'r',
  status: 'in_progress',
  joinedInvariants: [],
  failure: null,
  fingerprint: null,
  ...over,
});
const states = (report: SweepReport): Record<string, string> =>
  Object.fromEntries(report.transitions.map((one) => [one.invariantId, one.health.state]));

describe('one sweep', () => {
  it('while everything is healthy: nothing to say', async () => {
    const probe = scripted({ a: [true], b: [true] });
    const report = await run({ invariants: [up('a'), up('b')], probe });
    expect(report).toMatchObject({
      checked: 2,
      transitions: [],
      incidents: [],
      evidence: [],
      recovered: [],
      checks: [],
    });
  });

  it('a first failure is confirmed by two quick looks, then it is an incident', async () => {
    const probe = scripted({ a: [false, false, false] });
    const report = await run({ invariants: [up('a')], probe });
    expect(states(report)).toEqual({ a: 'down' });
    expect(report.incidents).toMatchObject([{ invariantId: 'a', service: 'web', joined: [] }]);
    expect(report.incidents[0]?.detectedAt).toBe(report.transitions[0]?.health.failingSince);
    expect(probe.timeouts).toEqual([2_000, 700, 700]);
  });

  it('one failed probe between good ones is nothing', async () => {
    const report = await run({ invariants: [up('a')], probe: scripted({ a: [false, true] }) });
    expect(report).toMatchObject({ transitions: [], incidents: [] });
  });

  it('a known exit needs no second look', async () => {
    const probe = scripted({ a: [false] });
    const input: SweepInput = {
      scope: { kind: 'service', service: 'web' },
      confirmed: true,
      includeChecks: true,
    };
    const report = await run({ invariants: [up('a'), up('other', { service: 'db' })], probe }, input);
    expect(states(report)).toEqual({ a: 'down' });
    expect(report.checks).toMatchObject([{ invariantId: 'a', ok: false }]);
    expect(report.incidents).toHaveLength(1);
  });

  it('recovery needs successes in a row', async () => {
    const back = await run({ invariants: [down('a')], probe: scripted({ a: [true, true, true] }) });
    expect(states(back)).toEqual({ a: 'up' });
    const relapsed = await run({ invariants: [down('a')], probe: scripted({ a: [true, true, false] }) });
    expect(relapsed.transitions).toEqual([]);
    expect(relapsed.incidents).toHaveLength(1);
  });

  it('DOWN without a ticket is an incident in every sweep, not only at the moment it went down', async () => {
    const report = await run({ invariants: [down('a')], probe: scripted({ a: [false] }) });
    expect(report.transitions).toEqual([]);
    expect(report.incidents).toMatchObject([{ invariantId: 'a', detectedAt: T0 }]);
  });

  it('DOWN with a ticket is none, and no news', async () => {
    const report = await run({
      invariants: [down('a')],
      tickets: [ticket()],
      probe: scripted({ a: [false] }),
    });
    expect(report).toMatchObject({ transitions: [], incidents: [], evidence: [], recovered: [] });
  });

  it('disabled ones are not probed', async () => {
    expect(await run({ invariants: [up('a', { enabled: false })] })).toMatchObject({ checked: 0 });
  });

  it('never more probes at once than allowed', async () => {
    const ids = Array.from({ length: 20 }, (_, index) => `i${index}`);
    const probe = scripted(Object.fromEntries(ids.map((id) => [id, [true]])));
    const report = await run({ invariants: ids.map((id) => up(id)), probe, concurrency: 3 });
    expect(report.checked).toBe(20);
    expect(probe.most).toBe(3);
  });
});

describe('what an open ticket hears', () => {
  it('another invariant of its service that went down', async () => {
    const probe = scripted({ a: [false], b: [false, false, false] });
    const report = await run({ invariants: [down('a'), up('b')], tickets: [ticket()], probe });
    expect(report.incidents).toEqual([]);
    expect(report.evidence).toMatchObject([{ workflowId: 'a', evidence: { check: { invariantId: 'b' } } }]);
  });

  it('another kind of error', async () => {
    const probe = scripted({ a: [{ error: 'status == 200 is false (status 503)' }] });
    const report = await run({ invariants: [down('a')], tickets: [ticket()], probe });
    expect(report.evidence.map((one) => one.evidence.signature)).toEqual([
      'a: status == 200 is false (status 503)',
    ]);
    expect(report.transitions).toHaveLength(1);
  });

  it('that everything it is about holds', async () => {
    const tickets = [ticket({ joinedInvariants: ['b'] })];
    const probe = scripted({ a: [true], b: [true] });
    const report = await run({ invariants: [up('a'), up('b')], tickets, probe });
    expect(report.recovered).toMatchObject([{ workflowId: 'a', runId: 'r', hint: { check: { ok: true } } }]);
  });

  it('nothing of it while one that joined is down', async () => {
    const tickets = [ticket({ joinedInvariants: ['b'] })];
    const probe = scripted({ a: [true], b: [false] });
    expect((await run({ invariants: [up('a'), down('b')], tickets, probe })).recovered).toEqual([]);
  });
});

describe('who answers', () => {
  it('one look at the ports in a sweep, with what the supervisor knows, for every probe of a service', async () => {
    const looks: string[][] = [];
    const asked: (string | null)[] = [];
    const probe: Probe = ({ definition, revision }, { ownerOf }) => {
      const owner = ownerOf?.({ ip: '127.0.0.1', port: 1 }) ?? null;
      return Promise.resolve(
        owner?.ours === false
          ? failed(definition.id, { revision, at: new Date().toISOString() })
          : check(definition.id, { revision, at: new Date().toISOString() }),
      );
    };
    const report = await run({
      invariants: [up('a'), up('b'), up('c', { service: null })],
      services: [{ pid: 42 }],
      probe,
      lookAtPorts: (services) => {
        looks.push([...services].map(({ name, pid }) => `${name} ${pid}`));
        return (service) => {
          asked.push(service);
          const owner = { port: 1, pid: 7, command: 'x', user: 'x', startedAt: null, ours: false };
          return () => (service === null ? null : owner);
        };
      },
    });
    expect(states(report)).toEqual({ a: 'down', b: 'down' });
    expect(looks).toEqual([['web 42']]);
    expect(asked).toEqual(['web', 'web', null]);
  });
});

describe('what a blocked ticket hears', () => {
  it.each([
    ['another failure than it knows', 'port 1 is answered by pid (x), not by web', 1],
    ['the one it knows', 'connect ECONNREFUSED 127.0.0.1:1', 0],
    ['nothing while it is worked on', null, 0],
  ])('%s, although no sweep saw a change', async (_name, failure, expected) => {
    const report = await run({
      invariants: [down('a')],
      tickets: [ticket({ status: 'blocked', failure })],
      probe: scripted({ a: [false] }),
    });
    expect(report.evidence).toHaveLength(expected);
  });
});

describe('a service that is not meant to answer', () => {
  it.each([
    ['stopped by a person', { desired: 'stopped', state: 'stopped' }],
    ['booting for the first time', { state: 'starting', ready: false }],
  ] as const)('%s: not probed, no incident', async (_name, service) => {
    const report = await run({ invariants: [down('a')], services: [service] });
    expect(report).toMatchObject({ checked: 0, incidents: [], transitions: [] });
  });

  it.each([
    ['stopped by a person while it was being probed: no failure', 'stopped', 0],
    ['not stopped: the failure counts', 'running', 1],
  ] as const)('%s', async (_name, desired, incidents) => {
    const service: Partial<ServiceStatus> = {};
    const failing = scripted({ a: [false, false, false] });
    const probe: Probe = (...args) => {
      Object.assign(service, { desired });
      return failing(...args);
    };
    const report = await run({ invariants: [up('a')], services: [service], probe });
    expect(report).toMatchObject({ checked: 1 });
    expect(report.incidents).toHaveLength(incidents);
  });

  it('booting again after a restart: probed, its failure goes on', async () => {
    const services = [{ state: 'starting', restarts: 1, ready: false }] as const;
    const report = await run({ invariants: [down('a')], services, probe: scripted({ a: [false] }) });
    expect(report.incidents).toHaveLength(1);
  });

  it('without a supervisor everything is probed', async () => {
    const snapshot = () => Promise.reject(new Error('nobody listens'));
    expect(await run({ invariants: [up('a')], snapshot, probe: scripted({ a: [true] }) })).toMatchObject({
      checked: 1,
    });
  });

  it('a person who asks gets an answer, also of a disabled one, and no state changes', async () => {
    const input: SweepInput = {
      scope: { kind: 'invariant', invariantId: 'a' },
      confirmed: false,
      includeChecks: true,
    };
    const probe = scripted({ a: [false, false, false] });
    const report = await run({ invariants: [up('a', { enabled: false }), up('b')], probe }, input);
    expect(report).toMatchObject({
      checks: [{ invariantId: 'a', ok: false }],
      transitions: [],
      incidents: [],
    });
  });
});

describe('a sweep that must end', () => {
  it('reports an undecided target as suspect with its count; the next sweep goes on from there', async () => {
    const slow = up('a', { confirm: { attempts: 3, spacingMs: 500 } });
    const report = await run({ invariants: [slow], probe: scripted({ a: [false] }), sweepLimitMs: 100 });
    expect(report).toMatchObject({
      transitions: [{ invariantId: 'a', health: { state: 'suspect', failures: 1 } }],
      incidents: [],
    });
    const next = registered('a', slow.definition, report.transitions[0]?.health);
    const probe = scripted({ a: [false, false] });
    expect(states(await run({ invariants: [next], probe, sweepLimitMs: 5_000 }))).toEqual({ a: 'down' });
  });

  it('does not wait for a hung target, and says nothing of it', async () => {
    const probe = scripted({ a: ['hang'], b: [true] });
    const report = await run({ invariants: [up('a'), registered('b', QUICK)], probe, sweepLimitMs: 100 });
    expect(states(report)).toEqual({ b: 'up' });
    expect(report.checked).toBe(1);
  });

  it('an answer slower than the sweep is taken by the next one', async () => {
    let answer: (ok: boolean) => void = () => undefined;
    let probes = 0;
    const probe: Probe = async ({ definition, revision }) => {
      probes += 1;
      const ok = await new Promise<boolean>((resolve) => (answer = resolve));
      return check(definition.id, { ok, revision, at: new Date().toISOString() });
    };
    const sweep = activity({ invariants: [registered('a', QUICK)], probe, sweepLimitMs: 50 });
    const first: SweepReport = await activityEnvironment().run(sweep, ALL);
    expect(first.checked).toBe(0);
    answer(true);
    expect(states(await activityEnvironment().run(sweep, ALL))).toEqual({ a: 'up' });
    expect(probes).toBe(1);
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])(
    'the clock set %s by an hour meanwhile takes no answer away and starves nobody',
    async (_name, jumpMs) => {
      const order: string[] = [];
      let answer: () => void = () => undefined;
      let isSet = false;
      const probe: Probe = async ({ definition, revision }) => {
        order.push(definition.id);
        if (order.length === 1) await new Promise<void>((resolve) => (answer = resolve));
        return check(definition.id, {
          revision,
          at: new Date(Date.now() + (isSet ? jumpMs : 0)).toISOString(),
        });
      };
      const invariants = ['a', 'b'].map((id) => registered(id, QUICK));
      const sweep = activity({ invariants, probe, concurrency: 1, sweepLimitMs: 50 });
      await activityEnvironment().run(sweep, ALL);
      isSet = true;
      answer();
      const report: SweepReport = await activityEnvironment().run(sweep, ALL);
      expect(states(report)).toEqual({ a: 'up', b: 'up' });
      expect(order).toEqual(['a', 'b']);
      await activityEnvironment().run(sweep, ALL);
      expect(order.slice(2).sort()).toEqual(['a', 'b']);
    },
  );

  it('cancelled: ends at once with the cancellation, no verdict', async () => {
    const env = activityEnvironment();
    const running = env.run(activity({ invariants: [up('a')], probe: scripted({ a: ['hang'] }) }), ALL);
    setTimeout(() => env.cancel(), 20);
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
  });
});

describe('a check that could not run is an error, never a verdict', () => {
  const refuse = () => Promise.reject(new Error('no answer'));
  it.each([
    ['registry unreadable', { readRegistry: refuse }],
    ['open tickets unreadable', { openTickets: refuse, probe: scripted({ a: [true], b: [true] }) }],
    ['no sockets left', { probe: scripted({ a: [true] }) }],
  ])('%s', async (_name, over) => {
    const samples = createSamples();
    const error: unknown = await run({ invariants: [up('a'), up('b')], samples, ...over }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ApplicationFailure);
    expect(error).toMatchObject({ type: FAILURES.checkCouldNotRun, nonRetryable: false });
    expect(samples.read()).toMatchObject({ lastSweepAt: null, lastError: expect.any(String) as string });
  });

  it('is said once, and once when it is over', async () => {
    const said: string[] = [];
    const log = { error: () => said.push('broken'), info: () => said.push('fine') };
    let isBroken = true;
    const samples = createSamples();
    const sweep = activity({
      invariants: [],
      samples,
      log,
      openTickets: () => (isBroken ? refuse() : Promise.resolve([])),
    });
    for (const broken of [true, true, false, false]) {
      isBroken = broken;
      await activityEnvironment()
        .run(sweep, ALL)
        .catch(() => undefined);
    }
    expect(said).toEqual(['broken', 'fine']);
    expect(samples.read()).toMatchObject({ lastSweepAt: expect.any(String) as string, lastError: null });
  });
});

describe('what a person said', () => {
  const target = { kind: 'invariant', invariantId: 'a' } as const;
  const world = (over: Partial<RegistryState>, later: Partial<RegistryState> = over) => {
    const state = { revision: 1, invariants: { a: down('a') } };
    const answers = [{ ...state, ...over }];
    return {
      invariants: [],
      readRegistry: () => Promise.resolve(answers.shift() ?? { ...state, ...later }),
      probe: scripted({ a: [false] }),
    };
  };
  const pauses = { 'invariant/a': { target, by: 'ana', at: T0, until: null } };
  const dismissed = { a: { by: 'ana', at: T0, until: null } };

  it('control: neither paused nor dismissed, an incident', async () => {
    expect((await run(world({}))).incidents).toHaveLength(1);
  });

  it('paused: not probed, no incident', async () => {
    expect(await run(world({ pauses }))).toMatchObject({ checked: 0, incidents: [] });
  });

  it('a pause that is over: probed', async () => {
    const over = { 'invariant/a': { ...pauses['invariant/a'], until: T0 } };
    expect(await run(world({ pauses: over }))).toMatchObject({ checked: 1, incidents: [{}] });
  });

  it.each([
    ['as left', 'f1.p1', 'f1.p1', []],
    ['another process', 'f1.p1', 'f1.p2', ['f1.p2']],
    ['being changed by somebody', 'f1.p1', 'f2.p1', []],
    ['of which nothing is known', null, 'f2.p1', []],
  ])('a blocked ticket hears of a service that is %s', async (_name, left, now, told) => {
    const tickets = [ticket({ status: 'blocked', fingerprint: left })];
    const asked: string[] = [];
    const takeFingerprint = (service: string) => {
      asked.push(service);
      return Promise.resolve(now);
    };
    const report = await run({
      invariants: [down('a')],
      tickets,
      probe: scripted({ a: [false] }),
      takeFingerprint,
    });
    expect(report.evidence.map(({ evidence }) => evidence.fingerprint)).toEqual(told);
    expect(asked).toEqual(['web']);
  });

  it('somebody is changing files: a blocked ticket hears no other failure of its own, but what joins it', async () => {
    const report = await run({
      invariants: [down('a'), down('b')],
      tickets: [ticket({ status: 'blocked', failure: 'another', fingerprint: 'f1.p1' })],
      probe: scripted({ a: [false], b: [false] }),
      takeFingerprint: () => Promise.resolve('f2.p1'),
    });
    expect(report.evidence.map(({ evidence }) => evidence.check.invariantId)).toEqual(['b']);
  });

  it('dismissed: probed, no incident, and no evidence for the ticket of another invariant', async () => {
    const tickets = [ticket({ invariantId: 'b' })];
    expect(await run(world({ dismissed }))).toMatchObject({ checked: 1, incidents: [] });
    expect(await run({ ...world({ dismissed }), tickets })).toMatchObject({ evidence: [] });
    expect((await run({ ...world({}), tickets })).evidence).toHaveLength(1);
  });

  it.each([{ pauses }, { dismissed }])('%j, said while the sweep probed: no incident', async (word) => {
    expect(await run(world({}, word))).toMatchObject({ checked: 1, incidents: [] });
  });
});
