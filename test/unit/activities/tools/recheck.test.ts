import { MockActivityEnvironment } from '@temporalio/testing';
import type { CheckResult } from '../../../../src/domain/check';
import { callTool, makeControl, makeDeps, makeStatus, makeTempDirs } from '../../../support/tool-deps';

const tempDir = makeTempDirs();
const RESTART = {
  service: 'limiter',
  action: 'restart',
  expect: { pid: 4_000_000, started_at: '2026-01-01T00:00:00.000Z' },
};

function check(ok: boolean): CheckResult {
  const error = ok ? null : 'no answer';
  const base = { invariantId: 'limiter_healthy', revision: 1, at: '2026-01-01T00:01:00.000Z', latencyMs: 1 };
  return { ...base, ok, resolved: {}, error, ...(ok ? {} : { failure: 'no_answer' as const }) };
}

function depsWhere(ok: boolean) {
  const result = {
    outcome: 'performed' as const,
    service: makeStatus(),
    message: 'restarted',
    lastLines: [],
  };
  const control = makeControl({ statuses: [makeStatus()], results: [result] });
  return { control, deps: makeDeps(tempDir(), { control, probe: () => Promise.resolve(check(ok)) }) };
}

test('what has healed while a model thought is not touched, and the model is told', async () => {
  const { control, deps } = depsWhere(true);
  const result = await callTool(deps, 'service_control', RESTART, { recheck: true });
  expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
  expect(result.content).toContain('Nothing was done: the invariant holds again');
  expect(control.requests).toEqual([]);
});

test.each([
  ['is still broken', false, { recheck: true }],
  ['was looked at a moment ago', true, {}],
])('what %s is acted on', async (_name, ok, options) => {
  const { control, deps } = depsWhere(ok);
  expect(await callTool(deps, 'service_control', RESTART, options)).toMatchObject({
    isError: false,
    data: { outcome: 'performed' },
  });
  expect(control.requests).toHaveLength(1);
});

test('a look that fails is no reason to act: nothing is done, and the model is told to look again', async () => {
  const control = makeControl({ statuses: [new Error('the supervisor is away')] });
  const result = await callTool(makeDeps(tempDir(), { control }), 'service_control', RESTART, {
    recheck: true,
  });
  expect(result).toMatchObject({ isError: true, data: { outcome: 'refused' } });
  expect(result.content).toMatch(/^Nothing was done: .*supervisor is away.*Look again before you act\.$/s);
  expect(control.requests).toEqual([]);
});

test('a call that is tried again asks for its first result: what holds now may be its own work', async () => {
  const { control, deps } = depsWhere(true);
  const environment = new MockActivityEnvironment({ attempt: 2 });
  const result = await callTool(deps, 'service_control', RESTART, { recheck: true, environment });
  expect(result).toMatchObject({ isError: false, data: { outcome: 'performed' } });
  expect(control.requests).toHaveLength(1);
});
