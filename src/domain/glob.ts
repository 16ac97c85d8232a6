/**
 * Whether an absolute or relative slash path matches a glob: `**` is any number of whole segments, `*` and `?` stay within
 * one, everything else is literal (so a directory called `my(project)` is just that). A wildcard never matches a leading
 * dot. Time is bounded by length of path × length of pattern.
 */
export function matchesGlob(path: string, pattern: string): boolean {
  return matchSequence(path.split('/'), pattern.split('/'), {
    isStar: (segment) => segment === '**',
    starTakes: (segment) => !segment.startsWith('.'),
    matches: matchesSegment,
  });
}

/** The literal directory a glob starts in, and the rest below it: `/a/b/**` → `/a/b`, `**`; `/a/f.json` → `/a`, `f.json`. */
export function splitGlob(pattern: string): { readonly root: string; readonly rest: string } {
  const segments = pattern.split('/');
  const wild = segments.findIndex((segment) => /[*?]/.test(segment));
  const at = wild === -1 ? segments.length - 1 : wild;
  return { root: segments.slice(0, at).join('/') || '/', rest: segments.slice(at).join('/') };
}

function matchesSegment(segment: string, pattern: string): boolean {
  if (segment.startsWith('.') && !pattern.startsWith('.')) return false;
  return matchSequence([...segment], [...pattern], {
    isStar: (char) => char === '*',
    starTakes: () => true,
    matches: (char, wanted) => wanted === '?' || char === wanted,
  });
}

interface Rules {
  readonly isStar: (patternItem: string) => boolean;
  readonly starTakes: (item: string) => boolean;
  readonly matches: (item: string, patternItem: string) => boolean;
}

/** Greedy matching that returns to the last star only: no exponential backtracking. */
function matchSequence(items: readonly string[], pattern: readonly string[], rules: Rules): boolean {
  let item = 0;
  let at = 0;
  let star = -1;
  let starItem = 0;
  while (item < items.length) {
    const current = items[item] ?? '';
    const wanted = pattern[at];
    if (wanted !== undefined && rules.isStar(wanted)) {
      star = at;
      starItem = item;
      at += 1;
    } else if (wanted !== undefined && rules.matches(current, wanted)) {
      item += 1;
      at += 1;
    } else if (star !== -1 && rules.starTakes(items[starItem] ?? '')) {
      starItem += 1;
      item = starItem;
      at = star + 1;
    } else {
      return false;
    }
  }
  return pattern.slice(at).every(rules.isStar);
}
