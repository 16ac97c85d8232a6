import { ApplicationFailure } from '@temporalio/common';
import type { Probe } from '../../../src/activities/probe';
import { createSamples } from '../../../src/activities/samples';
import { createVerifyRecovery } from '../../../src/activities/verify-recovery';
import type { VerifyDeps } from '../../../src/activities/verify-recovery';
import { FAILURES } from '../../../src/domain/failures';
import type { HealthTransition, RegisteredInvariant } from '../../../src/domain/registry';
import type { VerifyInput, VerifyResult } from '../../../src/workflows/contract';
import { activityEnvironment } from '../../support/activity-environment';
import { check, downSince, failed, registered, T0 } from '../../support/invariants';

const QUICK = { recover: { successes: 3, spacingMs: 1 }, service: 'web' };
const INPUT: VerifyInput = { invariantId: 'a', joined: [], service: 'web' };

/** Answers from the script; a probe it does not foresee fails the test. */
function scripted(script: Record<string, boolean[]>): Probe {
  return ({ definition, revision }) => {
    const ok = script[definition.id]?.shift();
    if (ok === undefined) return Promise.reject(new Error(`no more answers for ${definition.id}`));
    const at = new Date().toISOString();
    return Promise.resolve(
      ok ? check(definition.id, { revision, at }) : failed(definition.id, { revision, at }),
    );
  };
}

async function verify(
  invariants: readonly RegisteredInvariant[],
  script: Record<string, boolean[]>,
  input: VerifyInput = INPUT,
  over: Partial<VerifyDeps> = {},
): Promise<{ result: VerifyResult; sent: HealthTransition[]; left: number }> {
  const sent: HealthTransition[] = [];
  const activity = createVerifyRecovery({
    readRegistry: () =>
      Promise.resolve({
        revision: 1,
        invariants: Object.fromEntries(invariants.map((one) => [one.definition.id, one])),
      }),
    sendTransitions: (_at, transitions) => Promise.resolve(void sent.push(...transitions)),
    snapshot: () => Promise.resolve({ services: [], components: [] }),
    probe: scripted(script),
    lookAtPorts: () => () => () => null,
    samples: createSamples(),
    now: () => new Date(),
    ...over,
  });
  const result: VerifyResult = await activityEnvironment().run(activity, input);
  const left = Object.values(script).reduce((sum, answers) => sum + answers.length, 0);
  return { result, sent, left };
}

const down = (id: string, over = {}): RegisteredInvariant =>
  registered(id, { ...QUICK, ...over }, downSince(id, T0));
const up = (id: string, over = {}): RegisteredInvariant =>
  registered(id, { ...QUICK, ...over }, { state: 'up' });

it('three successes in a row prove it, and the registry hears at once', async () => {
  const { result, sent, left } = await verify([down('a')], { a: [true, true, true] });
  expect(result).toMatchObject({ recovered: true, successes: 3, failing: [] });
  expect(result).not.toHaveProperty('note');
  expect(left).toBe(0);
  expect(sent).toMatchObject([
    { invariantId: 'a', revision: 1, health: { state: 'up', failingSince: null } },
  ]);
});

it('the first failure ends it, with the failing check and no word to the registry', async () => {
  const { result, sent, left } = await verify([down('a')], { a: [true, false, true, true] });
  expect(result).toMatchObject({
    recovered: false,
    successes: 1,
    failing: [{ invariantId: 'a', ok: false, error: 'connect ECONNREFUSED 127.0.0.1:1' }],
  });
  expect(left).toBe(2);
  expect(sent).toEqual([]);
});

it('invariants that joined must hold as often', async () => {
  const input = { ...INPUT, joined: ['b'] };
  const { result } = await verify(
    [down('a'), down('b')],
    { a: [true, true, true], b: [true, true, false] },
    input,
  );
  expect(result).toMatchObject({ recovered: false, failing: [{ invariantId: 'b' }] });
});

it('every other invariant of the service must hold once: a repair must not break something else', async () => {
  const invariants = [
    down('a'),
    up('other'),
    up('elsewhere', { service: 'db' }),
    up('off', { enabled: false }),
  ];
  const broken = await verify(invariants, { a: [true, true, true], other: [false] });
  expect(broken.result).toMatchObject({ recovered: false, failing: [{ invariantId: 'other' }] });
  const fine = await verify(invariants, { a: [true, true, true], other: [true] });
  expect(fine.result).toMatchObject({ recovered: true });
  expect(fine.left).toBe(0);
});

it('without a service only the invariant itself counts', async () => {
  const lone = down('a', { service: null });
  const { result } = await verify(
    [lone, up('b', { service: null })],
    { a: [true, true, true] },
    { ...INPUT, service: null },
  );
  expect(result.recovered).toBe(true);
});

it.each([
  ['removed', []],
  ['disabled', [down('a', { enabled: false })]],
])('an invariant that was %s leaves nothing to hold: recovered, with a note', async (_name, invariants) => {
  const { result, sent } = await verify(invariants, {});
  expect(result).toMatchObject({
    recovered: true,
    successes: 0,
    failing: [],
    note: expect.stringContaining('a') as string,
  });
  expect(sent).toEqual([]);
});

it('a removed one does not excuse one that joined', async () => {
  const { result } = await verify([down('b')], { b: [false] }, { ...INPUT, joined: ['b'] });
  expect(result).toMatchObject({ recovered: false, failing: [{ invariantId: 'b' }] });
});

it('a registry that cannot be told does not undo the proof', async () => {
  const sendTransitions = () => Promise.reject(new Error('away'));
  const { result } = await verify([down('a')], { a: [true, true, true] }, INPUT, { sendTransitions });
  expect(result.recovered).toBe(true);
});

it.each([
  ['the registry', { readRegistry: () => Promise.reject(new Error('away')) }],
  ['a probe', { probe: scripted({}) }],
])('%s that fails is no verdict: CheckCouldNotRun', async (_name, over) => {
  const error: unknown = await verify([down('a')], {}, INPUT, over).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApplicationFailure);
  expect(error).toMatchObject({ type: FAILURES.checkCouldNotRun });
});

it('a stranger that answers right proves nothing; every probe looks anew', async () => {
  let looks = 0;
  const stranger = { port: 1, pid: 7, command: 'x', user: 'x', startedAt: null };
  const probe: Probe = ({ definition, revision }, { ownerOf }) => {
    const ours = ownerOf?.({ ip: '127.0.0.1', port: 1 })?.ours ?? true;
    const at = new Date().toISOString();
    return Promise.resolve(ours ? check(definition.id, { revision, at }) : failed(definition.id, { at }));
  };
  const { result } = await verify([down('a')], {}, INPUT, {
    probe,
    lookAtPorts: () => {
      looks += 1;
      return () => () => ({ ...stranger, ours: looks < 3 });
    },
  });
  expect(result).toMatchObject({ recovered: false, successes: 2, failing: [{ invariantId: 'a' }] });
  expect(looks).toBe(3);
});

it('no supervisor to ask: the answers alone count', async () => {
  const snapshot = () => Promise.reject(new Error('nobody listens'));
  const { result } = await verify([down('a')], { a: [true, true, true] }, INPUT, { snapshot });
  expect(result.recovered).toBe(true);
});

it('one that goes down again and again must hold for longer, and a failure in that time ends the proof', async () => {
  const recentDowns = [4, 3, 2, 1].map((ago) => new Date(Date.now() - ago * 60_000).toISOString());
  const flapping = registered('a', QUICK, { ...downSince('a', T0), recentDowns });
  const over = { flappingProofMs: 200 };
  const endless = () => Array<boolean>(1_000).fill(true);
  const { result } = await verify([flapping], { a: endless() }, INPUT, over);
  expect(result.recovered).toBe(true);
  expect(result.successes).toBeGreaterThan(3);
  const broken = await verify([flapping], { a: [true, true, true, true, false] }, INPUT, over);
  expect(broken.result).toMatchObject({ recovered: false, successes: 4 });
});

it('what a person dismissed may stay broken; what nobody dismissed may not', async () => {
  const invariants = [down('a'), down('known')];
  const dismissed = { known: { by: 'ana', at: T0, until: null } };
  const readRegistry = () =>
    Promise.resolve({
      revision: 1,
      dismissed,
      invariants: Object.fromEntries(invariants.map((one) => [one.definition.id, one])),
    });
  const fine = await verify(invariants, { a: [true, true, true] }, INPUT, { readRegistry });
  expect(fine.result).toMatchObject({ recovered: true });
  const broken = await verify(invariants, { a: [true, true, true], known: [false] });
  expect(broken.result).toMatchObject({ recovered: false });
});
