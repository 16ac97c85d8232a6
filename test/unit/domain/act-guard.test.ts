import { whyNotAct } from '../../../src/domain/act-guard';
import type { ReasonToAct } from '../../../src/domain/act-guard';
import type { CheckResult } from '../../../src/domain/check';
import { makeStatus } from '../../support/tool-deps';

const CHECK: CheckResult = {
  invariantId: 'limiter_healthy',
  revision: 1,
  at: '2026-01-01T00:01:00.000Z',
  ok: false,
  latencyMs: 1,
  resolved: {},
  error: 'no answer',
  failure: 'no_answer',
};

function reason(change: Partial<ReasonToAct> = {}): ReasonToAct {
  return {
    call: { id: 'c', name: 'service_control', input: { service: 'limiter', action: 'restart' } },
    service: makeStatus(),
    invariant: CHECK,
    starting: false,
    portOwner: null,
    answersElsewhere: false,
    failingMs: 60_000,
    relapses: { count: 0, limit: 5 },
    ...change,
  };
}

const DEAD = makeStatus({ state: 'exited', pid: null, ready: false });
const EDIT = { id: 'c', name: 'restore_file', input: { path: 'config.json' } };
const STRANGER = { pid: 9, command: 'python3 -m http.server', user: 'root', port: 8001, ours: false };

test.each([
  ['silent for long enough', {}],
  ['dead, just now', { service: DEAD, failingMs: 0 }],
  ['answers wrongly, just now', { invariant: { ...CHECK, failure: 'condition' as const }, failingMs: 0 }],
  ['could not be probed', { invariant: null }],
  ['the last repair that is allowed', { relapses: { count: 5, limit: 5 } }],
  ['an edit while it boots', { call: EDIT, starting: true }],
])('%s: it is done', (_name, change) => {
  expect(whyNotAct(reason(change as Partial<ReasonToAct>))).toBeNull();
});

test.each([
  ['holds again', { invariant: { ...CHECK, ok: true } }, 'the invariant holds again'],
  ['holds again, and an edit', { call: EDIT, invariant: { ...CHECK, ok: true } }, 'nothing to repair'],
  [
    'stopped by a person',
    { service: makeStatus({ ...DEAD, desired: 'stopped' }) },
    'a person stopped limiter',
  ],
  ['a stranger on its port', { portOwner: STRANGER }, 'hand over to a person'],
  ['answers elsewhere', { answersElsewhere: true }, 'the check itself may be wrong'],
  ['boots', { starting: true }, 'within its boot time; wait for it with inspect_service and "wait_s": 5'],
  ['silent for a moment', { failingMs: 1_200 }, '"wait_s": 4'],
  ['repaired too often', { relapses: { count: 6, limit: 5 } }, 'repaired 6 times'],
])('%s: nothing is done, and the way out is named', (_name, change, text) => {
  expect(whyNotAct(reason(change as Partial<ReasonToAct>))).toContain(text);
});
