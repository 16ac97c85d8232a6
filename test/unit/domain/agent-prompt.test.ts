import { openingText, promptVersion, SYSTEM_PROMPT } from '../../../src/domain/agent-prompt';
import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { TicketSpec } from '../../../src/domain/ticket';
import type { Trajectory, TrajectoryCall, TrajectoryTurn } from '../../../src/domain/trajectory';
import { T0 } from '../../support/invariants';

const SPEC: TicketSpec = {
  id: 'T1',
  invariantId: 'api_ok',
  service: 'api',
  objective: 'Bring api back',
  successCriteria: 'api_ok holds three times',
  context: 'It was deployed yesterday.',
  priority: 'high',
  suspectedCause: 'killed',
  confidence: 0.9,
  sourceType: 'monitor',
  sourceId: 'api_ok',
  detectedAt: T0,
  createdAt: T0,
  joinedInvariants: [],
  evidence: [
    { id: 'E1', kind: 'check', at: T0, title: 'check failed', text: 'ECONNREFUSED' },
    { id: 'E2', kind: 'logs', at: T0, title: 'last lines', text: 'out of memory' },
  ],
  firstCheck: null,
};
const call = (over: Partial<TrajectoryCall>): TrajectoryCall => ({
  call: { id: 'c', name: 'service_control', input: { action: 'restart', service: 'api' } },
  decision: null,
  result: null,
  failure: null,
  startedAt: null,
  endedAt: null,
  ...over,
});
const turn = (over: Partial<TrajectoryTurn>): TrajectoryTurn => ({
  turn: 1,
  attempt: 1,
  brain: 'runbook',
  model: null,
  text: 'it is dead',
  startedAt: T0,
  endedAt: T0,
  calls: [],
  ...over,
});
const result = (content: string) => ({
  callId: 'c',
  tool: 'service_control',
  isError: false,
  content,
  data: null,
});

function opening(over: Partial<Trajectory> = {}, more: Partial<Parameters<typeof openingText>[0]> = {}) {
  const trajectory: Trajectory = { ...foldTrajectory([]), ticket: SPEC, ...over };
  return openingText({ trajectory, attempt: 1, begunBy: 'opened', results: [], notes: [], ...more });
}
const spec = (over: Partial<TicketSpec>): Partial<Trajectory> => ({ ticket: { ...SPEC, ...over } });
const section = (text: string, title: string) => text.split('## ').find((part) => part.startsWith(title));

describe('promptVersion', () => {
  /*
   * A transcript that began with another version begins anew. When this fails because the prompt, the tools or the way they
   * are told have changed on purpose, write the new version here; when turns are told in another way, raise RENDERING too.
   */
  it('is that of the prompt as it is', () => {
    expect(promptVersion({ name: 'claude-opus-5-5', profile: 'full' })).toBe('c054379b2663df5f');
  });

  it('differs by model and by profile', () => {
    const versions = ['claude-opus-5-5', 'claude-sonnet-5-5'].flatMap((name) =>
      ['full', 'plain'].map((profile) => promptVersion({ name, profile })),
    );
    expect(new Set(versions).size).toBe(4);
  });

  it('nothing of one machine is in the prompt: all tickets share its cache', () => {
    expect(SYSTEM_PROMPT).not.toMatch(/\d{4}-\d{2}-\d{2}|localhost|127\.0\.0\.1|rate_limiter/);
  });
});

describe('openingText', () => {
  it('has the ticket, its evidence by ID, and why the attempt began', () => {
    const text = opening({ joinedInvariants: ['api_fast'] }, { attempt: 2, begunBy: 'person' });
    for (const part of [
      'service: api',
      'broken invariants: api_ok, api_fast',
      'objective: Bring api back',
      'done when: api_ok holds three times',
      'priority: high',
      'suspected cause: killed',
      `failing since: ${T0}`,
      'now: attempt 2, begun by: a person',
      '## Context\nIt was deployed yesterday.',
      '[E1] check failed\nECONNREFUSED',
      '[E2] last lines\nout of memory',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toMatch(/## (Done so far|Results|News)/);
  });

  it('has what was done so far: results, refusals, failures, and what is still open', () => {
    const text = opening({
      turns: [
        turn({ calls: [call({ result: result('restarted\n\n  as 42') })] }),
        turn({
          turn: 2,
          brain: 'claude',
          text: '',
          calls: [
            call({ decision: { verdict: 'deny', rule: 'r', reason: 'not yours' } }),
            call({ failure: { message: 'heartbeat', type: null, details: [], cause: null } }),
            call({}),
          ],
        }),
        turn({ turn: 3, text: '' }),
      ],
      escalation: { at: T0, reason: 'nothing helped', report: 'long' },
    });
    expect(section(text, 'Done so far')).toBe(
      [
        'Done so far on this ticket',
        'attempt 1, turn 1 (runbook): it is dead',
        '  service_control restart api → restarted as 42',
        'attempt 1, turn 2 (claude): ',
        '  service_control restart api → refused: not yours',
        '  service_control restart api → heartbeat',
        '  service_control restart api → no result yet',
        'Last handed to a person because: nothing helped',
      ].join('\n'),
    );
  });

  it('has the last results in full, and the news', () => {
    const long = 'x'.repeat(5_000);
    const text = opening(
      {},
      { results: [result(long)], notes: ['The claude brain could not go on', 'ana: disk?'] },
    );
    expect(text).toContain(`## Results of the last calls\nservice_control: ${long}`);
    expect(text.endsWith('## News\nThe claude brain could not go on\nana: disk?')).toBe(true);
  });

  it('no service, no readable ticket: it says so', () => {
    expect(opening(spec({ service: null }))).toContain('service: none');
    expect(opening({ ticket: null })).toContain('Hand over to a person');
  });

  it('evidence is cut at its end, and says so', () => {
    const text = opening(
      spec({ evidence: [{ id: 'E1', kind: 'logs', at: T0, title: 't', text: 'x'.repeat(99_000) }] }),
    );
    expect(text.length).toBeLessThan(26_000);
    expect(text).toContain('(cut at 24000 characters)');
  });

  it('a story that is too long loses its beginning, and says how much', () => {
    const turns = Array.from({ length: 200 }, (_, index) =>
      turn({ turn: index + 1, text: `turn number ${index + 1} ${'y'.repeat(500)}` }),
    );
    const story = section(opening({ turns }), 'Done so far') ?? '';
    expect(story.length).toBeLessThan(12_200);
    expect(story).toContain('turn number 200 ');
    expect(story).not.toContain('turn number 1 ');
    const kept = story.match(/turn number/g)?.length ?? 0;
    expect(story.split('\n')[1]).toBe(`(${200 - kept} earlier lines are left out)`);
  });

  it.each([399, 400])('no character is cut in half (%i before it): servers refuse such text', (before) => {
    const text = opening({ turns: [turn({ text: `${'x'.repeat(before)}😀${'x'.repeat(100)}` })] });
    expect(Buffer.from(text).toString()).toBe(text);
  });
});
