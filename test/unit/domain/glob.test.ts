import { matchesGlob, splitGlob } from '../../../src/domain/glob';

describe('matchesGlob', () => {
  it.each([
    ['/a/src/x.ts', '/a/src/**', true],
    ['/a/src/deep/er/x.ts', '/a/src/**', true],
    ['/a/src-evil/x.ts', '/a/src/**', false],
    ['/a/x.ts', '/a/**/x.ts', true],
    ['/a/b/c/x.ts', '/a/**/x.ts', true],
    ['/a/b/c/y.ts', '/a/**/x.ts', false],
    ['/a/b.json', '/a/*.json', true],
    ['/a/b/c.json', '/a/*.json', false],
    ['/a/b1.json', '/a/b?.json', true],
    ['/a/b.json', '/a/b?.json', false],
    ['/a/config.json', '/a/config.json', true],
    ['/a/configXjson', '/a/config.json', false],
    ['/a/my(project)/[x]{y}/f', '/a/my(project)/[x]{y}/*', true],
    ['/a/.env', '/a/**', false],
    ['/a/.git/config', '/a/**', false],
    ['/a/.env', '/a/*', false],
    ['/a/.hidden/x', '/a/.hidden/*', true],
    ['x', '**', true],
    ['', '**', true],
    ['a/b', 'a/**/**/b', true],
  ])('%s against %s: %s', (path, pattern, expected) => {
    expect(matchesGlob(path, pattern)).toBe(expected);
  });

  it('many stars do not blow up', () => {
    const startedAt = performance.now();
    expect(matchesGlob('a'.repeat(2_000), `${'*a'.repeat(200)}b`)).toBe(false);
    expect(matchesGlob('a/'.repeat(2_000), `${'**/a/'.repeat(200)}b`)).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(500);
  });
});

describe('splitGlob', () => {
  it.each([
    ['/a/b/**', '/a/b', '**'],
    ['/a/b/**/x.ts', '/a/b', '**/x.ts'],
    ['/a/b/c.json', '/a/b', 'c.json'],
    ['/a/b*/c', '/a', 'b*/c'],
    ['/*', '/', '*'],
  ])('%s begins in %s', (pattern, root, rest) => {
    expect(splitGlob(pattern)).toEqual({ root, rest });
  });
});
