import type { EditEntry } from '../../../src/domain/edit-journal';
import {
  editsToUndo,
  findIntent,
  parseEditEntry,
  undoneByOperation,
  undosByPerson,
} from '../../../src/domain/edit-journal';

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

const ANA = { by: 'ana', reason: 'we want it' };
const undoFor = (ticket: string, change: Partial<EditEntry> = {}) =>
  both({ tool: 'undo_edits', ticket, person: ANA, ...change }, 'good', 'bad');

describe('findIntent', () => {
  const ask = (journal: EditEntry[], sha256: string | null = 'bad', ticket = 'T2') =>
    findIntent(journal, { path: '/c', sha256, ticket });
  it.each<[string, EditEntry[], boolean]>([
    ['never restored', [], false],
    ['another ticket restored it: it is meant', both({}), true],
    ['only begun: it was not restored', [one({ phase: 'begun' })], false],
    ['restored from another content', both({}, 'worse'), false],
    ['another file', both({ path: '/d' }), false],
    ['edited, not restored', both({ tool: 'edit_file' }), false],
    ['another ticket restored and undid it', [...both({}), ...undo('T1')], false],
    ['this ticket restored and undid it: not twice', [...both({ ticket: 'T2' }), ...undo('T2')], true],
    ['another ticket restored it, a person undid that: it is meant', [...both({}), ...undoFor('T1')], true],
    [
      'a person undid an edit: what came back is meant',
      [...both({ tool: 'edit_file' }), ...undoFor('T1')],
      true,
    ],
    ['a person undid it, then another ticket did by itself', [...undoFor('T1'), ...undo('T3')], true],
    ['a person ordered it and it was only begun', undoFor('T1').slice(0, 1), false],
    ['a person undid another file', undoFor('T1', { path: '/d' }), false],
    ['a person had another content put back', both({ tool: 'undo_edits', person: ANA }, 'x', 'y'), false],
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
  it('several edits of a file: as first found, and every content of the ticket', () => {
    const journal = [
      ...both({}, 'bad', 'good'),
      ...both({ tool: 'edit_file', operation: 'w/r/2' }, 'good', 'better'),
    ];
    expect(editsToUndo(journal, 'T1')).toEqual([
      { path: '/c', found: found('bad'), written: ['good', 'better'] },
    ]);
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
    expect(editsToUndo(journal, 'T1')).toEqual([{ path: '/c', found: found('bad'), written: ['try'] }]);
  });
});

describe('undosByPerson', () => {
  it('one for each order, with all of its files; what the ticket undid by itself is none', () => {
    const journal = [
      ...undo('T1'),
      ...undoFor('T1', { operation: 'o1', at: 'first' }),
      ...undoFor('T1', { operation: 'o1', at: 'last', path: '/d' }),
      ...undoFor('T2', { operation: 'o2' }),
      ...undoFor('T1', { operation: 'o3' }).slice(0, 1),
      ...undoFor('T1', { operation: 'o4', at: 'later', person: { by: 'bo', reason: '' } }),
    ];
    expect(undosByPerson(journal, 'T1')).toEqual([
      { at: 'last', ...ANA, files: ['/c', '/d'] },
      { at: 'later', by: 'bo', reason: '', files: ['/c'] },
    ]);
  });
});

it('undoneByOperation: what an earlier try of the same call has put back', () => {
  const journal = [...both({}), ...undo('T1'), ...undoFor('T1', { operation: 'o1', path: '/d' })];
  expect(undoneByOperation(journal, 'o1')).toEqual(['/d']);
  expect(undoneByOperation([...both({ operation: 'o1' })], 'o1')).toEqual([]);
});

it('a line that was cut off is no entry', () => {
  expect(parseEditEntry({ at: 'x' })).toBeNull();
  expect(parseEditEntry(one({}))).toEqual(one({}));
  expect(parseEditEntry(one({ person: ANA }))).toEqual(one({ person: ANA }));
});
