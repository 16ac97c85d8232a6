import type { AttemptCause } from '../../../src/domain/ticket';
import type { Inspection } from '../../../src/domain/inspection';
import type { Json } from '../../../src/domain/json';
import { nextRunbookStep } from '../../../src/domain/runbook';
import { parseRunbookMemory } from '../../../src/domain/runbook-memory';
import type { RunbookMemory } from '../../../src/domain/runbook-memory';
import { check, failed, T0 } from '../../support/invariants';

const SHA = 'c'.repeat(64);
const running = {
  name: 'api',
  state: 'running',
  pid: 42,
  startedAt: T0,
  exit: null,
  restarts: 0,
  ready: true,
  desired: 'running',
} as const;
const exited = { ...running, state: 'exited', pid: null } as const;
const answers503 = failed('api_healthy', {
  resolved: { status: 503 },
  error: 'status 503',
  failure: 'wrong_answer',
});
const silent = failed('api_healthy', { failure: 'no_answer' });
const changed: Inspection['changed'] = [{ path: '/c.json', change: 'modified', sha256: SHA }];

const seen = (change: Partial<Inspection>): readonly [string, Inspection] => [
  'inspect_service',
  {
    service: running,
    controllable: true,
    process: { state: 'S' },
    starting: false,
    portOwner: null,
    answersElsewhere: false,
    invariant: answers503,
    lastLines: [],
    changed,
    ...change,
  },
];

type Said = readonly [tool: string, data: unknown, isError?: boolean];

/** Plays results against the ladder and names its steps. */
function play(...results: readonly Said[]) {
  return playAfter('opened', ...results);
}

function playAfter(begunBy: AttemptCause, ...results: readonly Said[]) {
  let memory: RunbookMemory | null = null;
  const steps: { tool: string; input: { readonly [key: string]: Json } }[] = [];
  for (const [tool, data, isError = false] of results) {
    const { memory: next, ...step } = nextRunbookStep({
      service: 'api',
      detectedAt: T0,
      begunBy,
      relapses: { count: 0, limit: 5 },
      now: new Date(Date.parse(T0) + 10_000).toISOString(),
      results: [{ callId: 'c', tool, isError, content: `${tool} said`, data: data as Json }],
      memory,
    });
    memory = parseRunbookMemory(JSON.parse(JSON.stringify(next)) as Json);
    steps.push(step);
  }
  return steps;
}

const compared = ['what_changed', { since: T0 }] as const;
const restored = ['restore_file', { outcome: 'performed' }] as const;
const last = (steps: ReturnType<typeof play>) => steps.at(-1);
const wrong = seen({});
const dead = seen({ service: exited, process: null });
const RESTORE = { tool: 'restore_file', input: { path: '/c.json', expect: SHA } };
const UNDO = { tool: 'undo_edits', input: {} };

describe('files changed since the service last worked', () => {
  it.each([
    ['it answers wrongly', wrong],
    ['it is dead', dead],
    ['it is silent', seen({ invariant: silent })],
  ])('%s: compares, then restores what it saw', (_what, inspection) => {
    expect(play(inspection)).toMatchObject([{ tool: 'what_changed', input: { service: 'api' } }]);
    expect(last(play(inspection, compared))).toMatchObject(RESTORE);
  });

  it.each([
    ['nothing changed', seen({ changed: [] }), 'update_ticket_status'],
    ['nothing changed and dead', seen({ service: exited, changed: [] }), 'service_control'],
    ['stopped by a signal', seen({ process: { state: 'T' }, invariant: silent }), 'service_control'],
    ['booting', seen({ starting: true }), 'inspect_service'],
    ['it holds', seen({ invariant: check('api_healthy') }), 'update_ticket_status'],
    [
      'too much changed',
      seen({ changed: Array(6).fill(changed[0]) as Inspection['changed'] }),
      'update_ticket_status',
    ],
  ])('%s: as without', (_what, inspection, tool) => {
    expect(play(inspection)).toMatchObject([{ tool }]);
  });

  it('alive: gives it two seconds to reload, restarts it if need be, then asks for the proof', () => {
    expect(last(play(wrong, compared, restored))).toMatchObject({
      tool: 'inspect_service',
      input: { wait_s: 2 },
    });
    const holds = seen({ invariant: check('api_healthy'), changed: [] });
    expect(last(play(wrong, compared, restored, holds))).toMatchObject({ input: { status: 'completed' } });
    const still = seen({ changed: [] });
    expect(last(play(wrong, compared, restored, still))).toMatchObject({
      tool: 'service_control',
      input: { action: 'restart', expect: { pid: 42, started_at: T0 } },
    });
  });

  it('dead: starts it with the restored files', () => {
    expect(last(play(dead, compared, restored))).toMatchObject({
      tool: 'service_control',
      input: { action: 'restart', expect: 'exited' },
    });
  });

  it('the proof fails, or the restart does: undoes the edits, then asks a person', () => {
    const unproven = ['update_ticket_status', null, true] as const;
    const holds = seen({ invariant: check('api_healthy'), changed: [] });
    const steps = play(wrong, compared, restored, holds, unproven, ['undo_edits', { outcome: 'performed' }]);
    expect(steps.at(-2)).toMatchObject(UNDO);
    expect(last(steps)).toMatchObject({
      tool: 'update_ticket_status',
      input: { status: 'blocked', reason: 'The restored files did not repair it.' },
    });
    const failedStart = ['service_control', { outcome: 'failed' }, true] as const;
    expect(last(play(dead, compared, restored, failedStart, dead))).toMatchObject(UNDO);
  });

  it('a restore of unknown outcome is undone too', () => {
    const unknown = ['restore_file', null, true] as const;
    const failedStart = ['service_control', { outcome: 'failed' }, true] as const;
    expect(last(play(dead, compared, unknown, failedStart, dead))).toMatchObject(UNDO);
  });

  it('content that is meant: a wrong answer goes to a person with that reason; a dead process is started', () => {
    const intended = ['restore_file', { outcome: 'intended' }, true] as const;
    expect(last(play(wrong, compared, intended, wrong))).toMatchObject({
      tool: 'update_ticket_status',
      input: { status: 'blocked', reason: 'restore_file said' },
    });
    expect(last(play(dead, compared, intended, dead))).toMatchObject({ tool: 'service_control' });
  });

  it('somebody changes the file at this moment: looks again, and for ever only so often', () => {
    const fenced = ['restore_file', { outcome: 'fenced' }, true] as const;
    const round = [wrong, compared, fenced] as const;
    expect(last(play(...round))).toMatchObject({ tool: 'inspect_service' });
    const rounds = play(...Array.from({ length: 10 }, () => round).flat());
    expect(rounds).toContainEqual(expect.objectContaining({ tool: 'update_ticket_status' }));
  });

  it('several files: all of them, one after the other, but not what cannot be restored', () => {
    const inspection = seen({
      changed: [
        ...changed,
        { path: '/link', change: 'unreadable', sha256: null },
        { path: '/gone', change: 'removed', sha256: null },
      ],
    });
    const steps = play(inspection, compared, restored, restored);
    expect(steps.slice(1)).toMatchObject([
      RESTORE,
      { tool: 'restore_file', input: { path: '/gone', expect: 'absent' } },
      { tool: 'inspect_service' },
    ]);
  });
});

describe('a person was at work on it', () => {
  const failedStart = ['service_control', { outcome: 'failed' }, true] as const;

  it.each(['person', 'changed_files', 'changed_process'] as const)(
    '%s: a dead service is started with the files as they are, never restored over the person',
    (begunBy) => {
      const steps = playAfter(begunBy, dead, failedStart, dead);
      expect(steps).toMatchObject([
        { tool: 'service_control', input: { action: 'restart', expect: 'exited' } },
        { tool: 'inspect_service' },
        { tool: 'update_ticket_status', input: { status: 'blocked' } },
      ]);
    },
  );

  it('changed files that a living service does not take up: waits a moment, restarts it once, then asks', () => {
    const done = ['service_control', { outcome: 'performed' }] as const;
    const unproven = ['update_ticket_status', null, true] as const;
    const first = ['list_files', {}] as const;
    expect(playAfter('changed_files', first, wrong, wrong, done, unproven, wrong)).toMatchObject([
      { tool: 'inspect_service' },
      { tool: 'inspect_service', input: { wait_s: 2 } },
      { tool: 'service_control', input: { expect: { pid: 42, started_at: T0 } } },
      { tool: 'update_ticket_status', input: { status: 'completed' } },
      { tool: 'inspect_service' },
      { tool: 'update_ticket_status', input: { status: 'blocked' } },
    ]);
    expect(last(playAfter('changed_process', first, wrong))).toMatchObject({ input: { status: 'blocked' } });
  });

  it.each(['time', 'changed_failure'] as const)('%s: compares and restores as at first', (begunBy) => {
    expect(playAfter(begunBy, wrong)).toMatchObject([{ tool: 'what_changed' }]);
  });

  it('paused in the middle: hands off, also its own edits, and says what is left in place', () => {
    const paused = ['service_control', { outcome: 'refused', rule: 'paused' }, true] as const;
    const asks = last(play(dead, compared, restored, paused));
    expect(asks).toMatchObject({ tool: 'update_ticket_status', input: { status: 'blocked' } });
    expect(asks?.input['reason']).toMatch(/api is paused/);
    expect(asks?.input['report']).toMatch(/still in place[^]*harness resume api[^]*ticket undo/);
  });
});

it('memory from before this rung is still read', () => {
  expect(parseRunbookMemory({ looks: 1, restarts: 0, facts: [], tried: [] })).toMatchObject({
    restore: { hasBegun: false },
  });
});
