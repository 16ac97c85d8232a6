import { toAnalystAnswer } from '../../../src/domain/model-verdict';
import type { VerdictAnswer } from '../../../src/domain/verdict-schema';

const ANSWER: VerdictAnswer = {
  create_ticket: true,
  reason: 'It is down [E1].',
  objective: 'Bring it back.',
  success_criteria: 'The check holds.',
  context: 'It was killed [E2].',
  priority: 'low',
  suspected_cause: 'Somebody killed it [E2].',
  hypotheses: [{ cause: 'SIGKILL', evidence: ['E1', 'E2'] }],
  confidence: 0.8,
};
const take = (change: Partial<VerdictAnswer> = {}, clean = (text: string) => text) => {
  const answer = toAnalystAnswer(
    { ...ANSWER, ...change },
    { evidenceIds: ['E1', 'E2', 'E3'], forceOpenAfterMs: 7, clean },
  );
  if (!answer.verdict) throw new Error('no verdict');
  return answer;
};

it('a verdict whose claims all name evidence is taken as it is, and says who gave it', () => {
  expect(take().verdict).toEqual({
    by: 'claude',
    createTicket: true,
    reason: 'It is down [E1].',
    objective: 'Bring it back.',
    successCriteria: 'The check holds.',
    context: 'It was killed [E2].',
    suspectedCause: 'Somebody killed it [E2].',
    hypotheses: [{ cause: 'SIGKILL', evidence: ['E1', 'E2'] }],
    confidence: 0.8,
    priority: 'low',
    forceOpenAfterMs: 7,
  });
});

it.each<[readonly string[], readonly string[], boolean]>([
  [['E1'], ['E1'], true],
  [['E1', 'E3'], ['E1', 'E3'], true],
  [[], [], false],
  [['E9'], [], false],
  [['E1', 'E9'], ['E1'], false],
  [['e1'], [], false],
])('a hypothesis that names %j: evidence %j, cited %s', (evidence, kept, isCited) => {
  const { verdict } = take({ hypotheses: [{ cause: 'a disk', evidence: [...evidence] }] });
  const cause = isCited ? 'a disk' : 'a disk (no evidence cited)';
  expect(verdict.hypotheses).toEqual([{ cause, evidence: kept }]);
});

it.each([
  ['names none', 'It ran out of memory.', 'It ran out of memory. (no evidence cited)'],
  ['names one that does not exist', 'Memory [E4].', 'Memory [E4]. (no evidence cited)'],
  ['names one of two that exist', 'Memory [E1, E12].', 'Memory [E1, E12]. (no evidence cited)'],
  ['names two', 'Memory [E1][E3].', 'Memory [E1][E3].'],
])('a cause and a reason whose text %s', (_what, text, expected) => {
  const { verdict } = take({ suspected_cause: text, reason: text });
  expect([verdict.suspectedCause, verdict.reason]).toEqual([expected, expected]);
});

it('every line of the context stands for itself', () => {
  expect(take({ context: 'killed [E2]\n\nslow disk\nold [E7]' }).verdict.context).toBe(
    'killed [E2]\n\nslow disk (no evidence cited)\nold [E7] (no evidence cited)',
  );
});

it('cleans every text', () => {
  const { verdict, news } = take({}, (text) => text.replaceAll('killed', '***'));
  expect(JSON.stringify(verdict)).toContain('***');
  expect(JSON.stringify(verdict) + news).not.toContain('killed');
});

it('as news it tells cause, other causes, context, and that it would have opened no ticket', () => {
  const { news } = take({ create_ticket: false, reason: 'It comes back by itself [E3].' });
  for (const part of ['Somebody killed it [E2]. (80 % sure)', '- SIGKILL [E1, E2]', 'It was killed [E2].']) {
    expect(news).toContain(part);
  }
  expect(news).toContain('It would have opened no ticket: It comes back by itself [E3].');
  expect(take().news).not.toContain('no ticket');
});
