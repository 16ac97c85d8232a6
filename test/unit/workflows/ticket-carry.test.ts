import type { CheckResult } from '../../../src/domain/check';
import { FailureWatch } from '../../../src/workflows/failure-watch';
import { newestTexts } from '../../../src/workflows/ticket-carry';

const check = (error: string, second = 0): CheckResult => ({
  invariantId: 'api_ok',
  revision: 1,
  at: `2026-01-01T00:00:${String(second).padStart(2, '0')}.000Z`,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error,
});

function inAnotherRun(watch: FailureWatch): FailureWatch {
  const next = new FailureWatch('api_ok', check('as it was when the ticket opened'));
  next.takeOver(JSON.parse(JSON.stringify(watch.carry())) as ReturnType<FailureWatch['carry']>);
  return next;
}

it('the next run knows the failure, what was tried, how often, and which check is overtaken', () => {
  let watch = new FailureWatch('api_ok', check('refused'));
  watch = inAnotherRun(watch);
  expect(watch.published.failure).toBe('refused');
  expect(watch.whyAttempt()).toBeNull();

  watch.report(check('port taken', 1));
  watch = inAnotherRun(watch);
  expect(watch.whyAttempt()).toBe('changed_failure');
  watch.beginAttempt('changed_failure');
  watch.report(check('status 500', 2));
  watch.beginAttempt('changed_failure');
  watch = inAnotherRun(watch);

  watch.report(check('port taken', 1));
  expect(watch.published.failure).toBe('status 500');
  watch.report(check('port taken', 3));
  expect(watch.whyAttempt()).toBeNull();
  watch.report(check('status 501', 4));
  watch.beginAttempt('changed_failure');
  watch = inAnotherRun(watch);
  watch.report(check('status 502', 5));
  expect(watch.whyAttempt()).toBeNull();
  watch.beginAttempt('person');
  watch.report(check('port taken', 6));
  expect(inAnotherRun(watch).whyAttempt()).toBe('changed_failure');
});

it('how the service was left goes over, and what was seen since', () => {
  const watch = new FailureWatch('api_ok', check('refused'));
  const left = { fingerprint: 'f1.p1' };
  watch.reportResult({ callId: 'c', tool: 'update_ticket_status', isError: false, content: '', data: left });
  expect(inAnotherRun(watch).whyAttempt()).toBeNull();
  watch.reportService('f2.p1');
  expect(inAnotherRun(watch).whyAttempt()).toBe('changed_files');
});

it('texts of weeks: the newest that fit, in order', () => {
  expect(newestTexts([])).toEqual([]);
  expect(newestTexts(['a', 'b'])).toEqual(['a', 'b']);
  const long = Array.from({ length: 300 }, (_, n) => `${n}:`.padEnd(1_000, 'x'));
  const kept = newestTexts(long);
  expect(kept).toEqual(long.slice(-200));
});
