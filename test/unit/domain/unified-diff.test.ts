import { unifiedDiff } from '../../../src/domain/unified-diff';

const lines = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}\n`).join('');

describe('unifiedDiff', () => {
  it.each([
    ['equal texts', 'a\n', 'a\n', ''],
    ['one line', 'a\nb\nc\n', 'a\nB\nc\n', '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c'],
    ['from nothing', '', 'a\n', '@@ -0,0 +1,1 @@\n+a'],
    ['to nothing', 'a\n', '', '@@ -1,1 +0,0 @@\n-a'],
    ['the last line end', 'a\n', 'a', '@@ -1,1 +1,1 @@\n-a\n+a\n\\ No newline at end of file'],
    ['repeated lines', 'a\na\n', 'a\na\na\n', '@@ -1,2 +1,3 @@\n a\n a\n+a'],
  ])('%s', (_what, before, after, expected) => {
    expect(unifiedDiff(before, after)).toBe(expected);
  });

  it('shows three lines around each change and leaves the rest out', () => {
    const before = lines(1, 30);
    const after = before.replace('\n5\n', '\nfive\n').replace('\n25\n', '\n');
    expect(unifiedDiff(before, after)).toBe(
      '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n@@ -22,7 +22,6 @@\n 22\n 23\n 24\n-25\n 26\n 27\n 28',
    );
  });

  it('huge texts that differ everywhere: one block, at once', () => {
    const startedAt = performance.now();
    const diff = unifiedDiff('a\n'.repeat(100_000), 'b\n'.repeat(100_000));
    expect(diff.startsWith('@@ -1,100000 +1,100000 @@')).toBe(true);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
  });
});
