import type { CheckResult } from '../../../src/domain/check';
import type { FileNow, Snapshot, WrittenFile } from '../../../src/domain/known-good';
import { findChanges, inForceSince, isKnownGood } from '../../../src/domain/known-good';
import { check, failed } from '../../support/invariants';

const STARTED = Date.parse('2026-01-01T00:00:00.000Z');
const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const written = (afterStartMs: number, sha256: string | null = A): WrittenFile => ({
  sha256,
  writtenAtMs: STARTED + afterStartMs,
});
const said = (sha256: string, afterStartMs: number) => ({ sha256, atMs: STARTED + afterStartMs });

describe('inForceSince', () => {
  it.each([
    ['written before the start: since the start', written(-1), [], 0],
    ['written in the moment of the start: not known', written(0), [], null],
    ['written while the process runs: not known', written(5_000), [], null],
    ['acknowledged after: since then', written(5_000), [said(A, 5_600)], 5_600],
    [
      'acknowledged, then written again with the same content: not known',
      written(6_000),
      [said(A, 5_600)],
      null,
    ],
    ['another content acknowledged: not known', written(5_000), [said(B, 5_600)], null],
    [
      'removed while it runs: not known, whatever is acknowledged',
      written(5_000, null),
      [said(A, 9_000)],
      null,
    ],
    ['removed before the start: since the start', written(-1, null), [], 0],
  ])('%s', (_what, file, acknowledgements, expected) => {
    expect(inForceSince(file, STARTED, acknowledgements)).toBe(expected === null ? null : STARTED + expected);
  });
});

const at = (seconds: number, ok = true): CheckResult =>
  (ok ? check : failed)('i', { at: new Date(STARTED + seconds * 1_000).toISOString() });

describe('isKnownGood', () => {
  const judge = (checks: CheckResult[][], files = [written(-1)], acknowledgements = [said(A, 5_000)]) =>
    isKnownGood({ files, processStartedAtMs: STARTED, acknowledgements, checks });

  it.each<[string, boolean, CheckResult[][]]>([
    ['held for 10 s', true, [[at(1), at(6), at(11)]]],
    ['held for less', false, [[at(1), at(6), at(10.9)]]],
    ['only older checks say so', false, [[at(-20), at(-10), at(-1)]]],
    ['failed once in between', false, [[at(1), at(6, false), at(11), at(12)]]],
    ['failed before the start', true, [[at(-1, false), at(1), at(11)]]],
    [
      'one of two invariants fails',
      false,
      [
        [at(1), at(11)],
        [at(1, false), at(11, false)],
      ],
    ],
    ['one of two invariants has not been checked', false, [[at(1), at(11)], []]],
    ['nobody watches the service', false, []],
  ])('%s: %s', (_what, expected, checks) => {
    expect(judge(checks)).toBe(expected);
  });

  it('the ten seconds begin with the last file that came into force', () => {
    const files = [written(-1, B), written(4_000)];
    expect(judge([[at(1), at(6), at(11)]], files)).toBe(false);
    expect(judge([[at(1), at(6), at(16)]], files)).toBe(true);
  });

  it('a file written while the old process runs and stays healthy is never good', () => {
    const checks = [[at(1), at(100), at(10_000)]];
    expect(judge(checks, [written(50_000, B)])).toBe(false);
    // Positive control: the same, acknowledged.
    expect(judge(checks, [written(50_000, B)], [said(B, 51_000)])).toBe(true);
  });
});

describe('findChanges', () => {
  const good: Snapshot = {
    version: 1,
    at: '2026-01-01T00:00:00.000Z',
    patterns: ['/c/*'],
    files: [
      { path: '/c/a', sha256: A, content: 'a', mode: 0o644 },
      { path: '/c/none', sha256: null, content: null, mode: null },
    ],
    skipped: ['/c/big'],
  };
  const now = (path: string, sha256: string | null, isSkipped = false): FileNow => ({
    path,
    sha256,
    isSkipped,
  });
  it.each<[string, FileNow[], object[]]>([
    ['the same', [now('/c/a', A), now('/c/none', null)], []],
    ['modified', [now('/c/a', B)], [{ path: '/c/a', change: 'modified', sha256: B }]],
    ['removed', [now('/c/a', null)], [{ path: '/c/a', change: 'removed', sha256: null }]],
    ['no longer listed', [], [{ path: '/c/a', change: 'removed', sha256: null }]],
    [
      'where there was none',
      [now('/c/a', A), now('/c/none', B)],
      [{ path: '/c/none', change: 'added', sha256: B }],
    ],
    ['new', [now('/c/a', A), now('/c/new', B)], [{ path: '/c/new', change: 'added', sha256: B }]],
    ['became a link', [now('/c/a', null, true)], [{ path: '/c/a', change: 'unreadable', sha256: null }]],
    ['was never kept', [now('/c/a', A), now('/c/big', B)], []],
  ])('%s', (_what, files, expected) => {
    expect(findChanges(good, files)).toEqual(expected);
  });
});
