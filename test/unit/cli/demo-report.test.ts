import { createColors } from 'picocolors';
import type { Observation } from '../../../src/cli/demo-report';
import {
  measurementsOf,
  renderMeasurements,
  renderStory,
  renderVerdicts,
  storyOf,
  verdictsOf,
} from '../../../src/cli/demo-report';
import { ticketDetailWire } from '../../../src/cli/wire';

const FAULT = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number) => new Date(FAULT + seconds * 1_000).toISOString();
const colors = createColors(false);

function seen(patch: Partial<Observation> = {}, ticket: object = {}): Observation {
  return {
    faultAt: FAULT,
    ticketSeenAt: FAULT + 500,
    answersAgainAt: FAULT + 900,
    ticket: ticketDetailWire.parse({
      id: 'T',
      status: 'completed',
      resolution: 'fixed',
      created_at: at(0.4),
      closed_at: at(2.5),
      timeline: [
        { at: at(0.2), kind: 'detected', title: 'fails', ok: false },
        { at: at(2.5), kind: 'closed', title: 'closed: fixed', ok: true },
      ],
      ...ticket,
    }),
    tickets: 1,
    before: { pid: 10, restarts: 1 },
    after: { pid: 11, restarts: 2, isSupervised: true },
    ...patch,
  };
}

test('the story is in the order of time, whoever tells it', () => {
  const text = renderStory(storyOf(seen()), FAULT, colors);
  expect(text).toBe(
    [
      '   +0.00s ✗ fault: pid 10 killed (SIGKILL)',
      '   +0.20s ✗ fails',
      '   +0.50s   the ticket is in the API',
      '   +0.90s ✓ the service answers again',
      '   +2.50s ✓ closed: fixed',
      '',
    ].join('\n'),
  );
});

test('every measured time stands beside its promise', () => {
  expect(renderMeasurements(measurementsOf(seen()))).toBe(
    [
      'ticket opened              0.40 s   promised: 0.4 s median, 1.2 s worst of 20',
      'service answers again      0.90 s   promised: 0.8 s median, 2 s worst of 20',
      'closed, verified           2.50 s   promised: 2.2 s median, 4 s worst of 20',
      '',
    ].join('\n'),
  );
});

test('all promises kept', () => {
  const verdicts = verdictsOf(seen());
  expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
  expect(verdicts).toHaveLength(6);
});

test.each([
  [
    'no ticket ever',
    { ticket: null, ticketSeenAt: null, tickets: 0 },
    {},
    ['a ticket within 10 s', 'closed within 60 s', 'closed as completed / fixed', 'exactly one ticket'],
  ],
  ['a late ticket', { ticketSeenAt: FAULT + 10_001 }, {}, ['a ticket within 10 s']],
  ['a late close', {}, { closed_at: at(60.1) }, ['closed within 60 s']],
  [
    'never closed',
    {},
    { closed_at: null, status: 'blocked', resolution: null },
    ['closed within 60 s', 'closed as completed / fixed'],
  ],
  ['healed without a repair', {}, { resolution: 'self_recovered' }, ['closed as completed / fixed']],
  ['two tickets', { tickets: 2 }, {}, ['exactly one ticket']],
  [
    'two starts',
    { after: { pid: 11, restarts: 3, isSupervised: true } },
    {},
    ['exactly one more start of the service'],
  ],
  [
    'a stranger answers',
    { after: { pid: 11, restarts: 2, isSupervised: false } },
    {},
    ['the new process is supervised'],
  ],
  [
    'the old pid',
    { after: { pid: 10, restarts: 2, isSupervised: true } },
    {},
    ['the new process is supervised'],
  ],
] as [string, Partial<Observation>, object, string[]][])(
  '%s breaks its promises',
  (_name, patch, ticket, broken) => {
    const verdicts = verdictsOf(seen(patch, ticket));
    expect(verdicts.filter(({ ok }) => !ok).map(({ promise }) => promise)).toEqual(broken);
    expect(renderVerdicts(verdicts, colors)).toContain('✗ BROKEN');
  },
);
