import type { EditEntry } from '../../../src/domain/edit-journal';
import { earlierRestore, editsToUndo, parseEditEntry } from '../../../src/domain/edit-journal';

const one = (change: Partial<EditEntry>, before = 'bad', after = 'good'): EditEntry => ({
  at: '2026-01-01T00:00:00.000Z',
  operation: 'w/r/1',
  ticket: 'T1',
  tool: 'restore_file',
  path: '/c',
  before: { sha256: before, mode: 0o644 },
  after: { sha256: after, mode: 0o644 },
  phase: 'done',
  ...change,
});
const both = (change: Partial<EditEntry>, before?: string, after?: string): EditEntry[] => [
  one({ ...change, phase: 'begun' }, before, after),
  one({ ...change, phase: 'done' }, before, after),
];
const undo = (ticket: string) => both({ tool: 'undo_edits', ticket }, 'good', 'bad');

describe('earlierRestore', () => {
  const ask = (journal: EditEntry[], sha256: string | null = 'bad', ticket = 'T2') =>
    earlierRestore(journal, { path: '/c', sha256, ticket });
  it.each<[string, EditEntry[], boolean]>([
    ['never restored', [], false],
    ['another ticket restored it: it is meant', both({}), true],
    ['only begun: it was not restored', [one({ phase: 'begun' })], false],
    ['restored from another content', both({}, 'worse'), false],
    ['another file', both({ path: '/d' }), false],
    ['edited, not restored', both({ tool: 'edit_file' }), false],
    ['another ticket restored and undid it', [...both({}), ...undo('T1')], false],
    ['this ticket restored and undid it: not twice', [...both({ ticket: 'T2' }), ...undo('T2')], true],
  ])('%s: %s', (_what, journal, expected) => {
    expect(ask(journal) !== null).toBe(expected);
  });

  it('absence is a content like any other', () => {
    const removed = both({}).map((entry) => ({ ...entry, before: { sha256: null, mode: null } }));
    expect(ask(removed, null)).not.toBeNull();
  });
});

describe('editsToUndo', () => {
  const found = (sha256: string) => ({ sha256, mode: 0o644 });
  it('several edits of a file: as first found, as last left', () => {
    const journal = [
      ...both({}, 'bad', 'good'),
      ...both({ tool: 'edit_file', operation: 'w/r/2' }, 'good', 'better'),
    ];
    expect(editsToUndo(journal, 'T1')).toEqual([{ path: '/c', found: found('bad'), left: found('better') }]);
  });
  it('begun only: it may have been done', () => {
    expect(editsToUndo([one({ phase: 'begun' })], 'T1')).toHaveLength(1);
  });
  it('undone, or of another ticket: nothing', () => {
    expect(editsToUndo([...both({}), ...undo('T1')], 'T1')).toEqual([]);
    expect(editsToUndo(both({}), 'T2')).toEqual([]);
  });
  it('edited again after the undo: from there', () => {
    const journal = [...both({}), ...undo('T1'), ...both({ tool: 'edit_file' }, 'bad', 'try')];
    expect(editsToUndo(journal, 'T1')).toEqual([{ path: '/c', found: found('bad'), left: found('try') }]);
  });
});

it('a line that was cut off is no entry', () => {
  expect(parseEditEntry({ at: 'x' })).toBeNull();
  expect(parseEditEntry(one({}))).toEqual(one({}));
});
