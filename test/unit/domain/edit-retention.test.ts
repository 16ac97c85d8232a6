import type { EditEntry } from '../../../src/domain/edit-journal';
import { ticketsToKeep } from '../../../src/domain/edit-retention';

const NOW = Date.parse('2026-06-01T00:00:00.000Z');
const DAY_MS = 86_400_000;
const daysAgo = (days: number): string => new Date(NOW - days * DAY_MS).toISOString();

const entry = (ticket: string, at: string, operation: string): EditEntry => ({
  at,
  operation,
  ticket,
  tool: 'edit_file',
  path: '/c',
  before: { sha256: 'a', mode: 0o644 },
  after: { sha256: 'b', mode: 0o644 },
  phase: 'begun',
});
/** So many operations of one closed ticket a year ago, newer in the journal than what stands before them. */
const filler = (count: number): EditEntry[] =>
  Array.from({ length: count }, (_, index) => entry('filler', daysAgo(365), `filler/${index}`));

it.each<[string, EditEntry[], readonly string[], boolean]>([
  ['closed, 31 days ago, 200 operations since', [entry('T', daysAgo(31), 'o'), ...filler(200)], [], false],
  ['the same, but open', [entry('T', daysAgo(31), 'o'), ...filler(200)], ['T'], true],
  ['29 days ago', [entry('T', daysAgo(29), 'o'), ...filler(200)], [], true],
  ['only 199 operations since', [entry('T', daysAgo(31), 'o'), ...filler(199)], [], true],
  [
    'its youngest entry counts for all of it',
    [entry('T', daysAgo(90), 'o1'), entry('T', daysAgo(2), 'o2'), ...filler(200)],
    [],
    true,
  ],
  [
    'two entries of one operation count once',
    [
      entry('T', daysAgo(31), 'o'),
      ...filler(199).flatMap((one): EditEntry[] => [one, { ...one, phase: 'done' }]),
    ],
    [],
    true,
  ],
  ['an unreadable time', [entry('T', 'yesterday', 'o'), ...filler(200)], [], true],
  ['a time to come', [entry('T', daysAgo(-400), 'o'), ...filler(200)], [], true],
])('%s', (_what, journal, open, isKept) => {
  const kept = ticketsToKeep(journal, { nowMs: NOW, openTickets: new Set(open) });
  expect(kept.has('T')).toBe(isKept);
});

it('a clock a year ahead: the last 200 operations stay all the same', () => {
  const journal = [entry('T', daysAgo(0), 'o'), ...filler(150)];
  const kept = ticketsToKeep(journal, { nowMs: NOW + 365 * DAY_MS, openTickets: new Set() });
  expect([...kept].sort()).toEqual(['T', 'filler']);
});
