import { createColors } from 'picocolors';
import type { DemoFault } from '../../../src/cli/demo-faults';
import { FAULT_PLANS } from '../../../src/cli/demo-faults';
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
import { parseConfig } from '../../../src/service/config';

const FAULT = Date.parse('2026-01-01T00:00:00.000Z');
const at = (seconds: number) => new Date(FAULT + seconds * 1_000).toISOString();
const colors = createColors(false);

function seen(patch: Partial<Observation> = {}, ticket: object = {}): Observation {
  return {
    fault: 'kill',
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
    isConfigAsBefore: true,
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

test('another fault tells what it did, and has its own promises', () => {
  const hung = seen({ fault: 'hang' });
  expect(renderStory(storyOf(hung), FAULT, colors)).toContain('fault: pid 10 stopped (SIGSTOP)');
  expect(measurementsOf(hung).map(({ promised }) => promised?.worst)).toEqual([9, 11, 13]);
});

test('with Claude only limits are promised, and for closing only after a kill', () => {
  const { ticket } = seen();
  if (!ticket) throw new Error('no ticket');
  const promised = (fault: 'kill' | 'hang') =>
    measurementsOf(seen({ fault, ticket: { ...ticket, brain: 'claude' } })).map((row) => row.promised);
  expect(promised('kill')).toEqual([{ median: null, worst: 10 }, null, { median: null, worst: 50 }]);
  expect(promised('hang')).toEqual([{ median: null, worst: 10 }, null, null]);
});

const SAME_PROCESS = { pid: 10, restarts: 1, isSupervised: true };
const NEW_PROCESS = { pid: 11, restarts: 2, isSupervised: true };
const NO_START = 'no start of the service';
const ONE_START = 'exactly one more start of the service';
const SAME = 'the same process is supervised';
const NEW = 'the new process is supervised';
const RESTORED = 'its configuration is restored, byte for byte';

test.each([
  ['kill', NEW_PROCESS, [ONE_START, NEW]],
  ['hang', NEW_PROCESS, [ONE_START, NEW]],
  ['dead', SAME_PROCESS, [NO_START, SAME, RESTORED]],
  ['latency', SAME_PROCESS, [NO_START, SAME, RESTORED]],
  ['badconfig', NEW_PROCESS, [ONE_START, NEW, RESTORED]],
] as const)('%s: all promises kept, its own among them', (fault, after, own) => {
  const verdicts = verdictsOf(seen({ fault, after }));
  expect(verdicts.filter(({ ok }) => !ok)).toEqual([]);
  expect(verdicts.map(({ promise }) => promise).slice(4)).toEqual(own);
});

test.each([
  ['dead', { after: NEW_PROCESS }, [NO_START, SAME]],
  ['dead', { after: { ...SAME_PROCESS, isSupervised: false } }, [SAME]],
  ['latency', { after: SAME_PROCESS, isConfigAsBefore: false }, [RESTORED]],
  ['badconfig', { isConfigAsBefore: false }, [RESTORED]],
  ['badconfig', { after: { pid: 12, restarts: 3, isSupervised: true } }, [ONE_START]],
  ['hang', { after: SAME_PROCESS }, [ONE_START, NEW]],
  ['kill', { isConfigAsBefore: false }, []],
] as const)('%s with %j breaks exactly its promises', (fault, patch, broken) => {
  const verdicts = verdictsOf(seen({ fault, ...patch }));
  expect(verdicts.filter(({ ok }) => !ok).map(({ promise }) => promise)).toEqual(broken);
});

test('a fault by configuration says to the service what its name says', () => {
  const says = (fault: DemoFault) => {
    const text = FAULT_PLANS[fault].config;
    return text === null ? null : parseConfig(text);
  };
  expect(says('kill')).toBeNull();
  expect(says('hang')).toBeNull();
  expect(says('dead')).toMatchObject({ ok: true, config: { enabled: false } });
  expect(says('latency')).toMatchObject({ ok: true, config: { enabled: true, delayMs: 500 } });
  expect(says('badconfig')).toMatchObject({ ok: false });
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
