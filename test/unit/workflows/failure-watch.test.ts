import { FailureWatch } from '../../../src/workflows/failure-watch';

const handedOver = (fingerprint: string | null) => {
  const watch = new FailureWatch('a', null);
  const data = { status: 'blocked', fingerprint };
  watch.reportResult({ callId: 'c', tool: 'update_ticket_status', isError: false, content: '', data });
  return watch;
};

it.each<[string, string | null, string[], string | null]>([
  ['nothing: the first look says how it was left', null, ['f1.p1'], null],
  ['nothing: what changes after the first look is news', null, ['f1.p1', 'f2.p1'], 'changed_files'],
  ['nothing: so is another process', null, ['f1.p1', 'f1.p2'], 'changed_process'],
  ['the files alone: a process is no news', 'f1.', ['f1.p1'], null],
  ['the files alone: other files are', 'f1.', ['f2.p1'], 'changed_files'],
  ['the files alone: another process is, once one was known', 'f1.', ['f1.p1', 'f1.p2'], 'changed_process'],
  ['all of it', 'f1.p1', ['f1.p2'], 'changed_process'],
])('handed over knowing %s', (_what, left, seen, why) => {
  const watch = handedOver(left);
  seen.forEach((fingerprint) => watch.reportService(fingerprint));
  expect(watch.whyAttempt()).toBe(why);
  // Sweeps stop telling.
  expect(watch.published.fingerprint).toBe(seen.at(-1));
});
