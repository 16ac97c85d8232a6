import { z } from 'zod';
import { findJsonObjects } from '../../../src/domain/extract-json';
import type { VerdictAnswer } from '../../../src/domain/verdict-schema';
import { parseVerdict, VERDICT_JSON_SCHEMA } from '../../../src/domain/verdict-schema';

const ANSWER: VerdictAnswer = {
  create_ticket: true,
  reason: 'It is down.',
  objective: 'Bring it back.',
  success_criteria: 'The check holds.',
  context: 'See E1.',
  priority: 'high',
  suspected_cause: 'It was killed.',
  hypotheses: [{ cause: 'SIGKILL', evidence: ['E1', 'E2'] }],
  confidence: 0.8,
};
const JSON_TEXT = JSON.stringify(ANSWER);

describe('parseVerdict', () => {
  it.each([
    ['plain', JSON_TEXT],
    ['indented', JSON.stringify(ANSWER, null, 2)],
    ['in a code fence', `\`\`\`json\n${JSON_TEXT}\n\`\`\``],
    ['between other words', `Here is my verdict: ${JSON_TEXT}. I hope it helps {really}!`],
    ['behind thoughts with braces', `<think>if {a: 1} then "{" {"x": {"y": 2}}</think>\n${JSON_TEXT}`],
    ['behind a draft that is no verdict', `{"create_ticket": true}\n${JSON_TEXT}`],
  ])('%s', (_name, text) => {
    expect(parseVerdict(text)).toEqual({ ok: true, verdict: ANSWER });
  });

  it('takes an enum in any letter case', () => {
    expect(parseVerdict(JSON_TEXT.replace('"high"', '"HIGH"'))).toEqual({ ok: true, verdict: ANSWER });
  });

  it('leaves members out that nobody asked for', () => {
    expect(parseVerdict(JSON.stringify({ ...ANSWER, note: 'x' }))).toEqual({ ok: true, verdict: ANSWER });
  });

  const hypothesis = { cause: 'x', evidence: [] };
  it.each<[string, object, RegExp]>([
    ['an unknown priority', { priority: 'urgent' }, /priority/],
    ['confidence above one', { confidence: 80 }, /confidence/],
    ['confidence below zero', { confidence: -0.1 }, /confidence/],
    ['confidence as text', { confidence: 'high' }, /confidence/],
    ['four hypotheses', { hypotheses: Array(4).fill(hypothesis) }, /hypotheses/],
    ['a hypothesis without evidence list', { hypotheses: [{ cause: 'x' }] }, /evidence/],
    ['an empty objective', { objective: '  ' }, /objective/],
    ['an objective too long for the list of tickets', { objective: 'x'.repeat(301) }, /objective/],
    ['no reason', { reason: undefined }, /reason/],
    ['a decision as text', { create_ticket: 'yes' }, /create_ticket/],
  ])('%s: refused, and it says where', (_name, change, problem) => {
    const parsed = parseVerdict(JSON.stringify({ ...ANSWER, ...change }));
    expect(parsed).toMatchObject({ ok: false, problem: expect.stringMatching(problem) });
  });

  it.each([
    [''],
    ['I cannot say.'],
    ['{"create_ticket": true, "objec'],
    ['[1, 2]'],
    ['null'],
    ['{'.repeat(50_000)],
  ])('no object in the answer: refused', (text) => {
    expect(parseVerdict(text)).toMatchObject({ ok: false, problem: expect.stringMatching(/no JSON object/) });
  });
});

describe('VERDICT_JSON_SCHEMA', () => {
  const told = z.fromJSONSchema(
    JSON.parse(JSON.stringify(VERDICT_JSON_SCHEMA)) as z.core.JSONSchema.JSONSchema,
  );

  it('takes what the parser takes, and closes every object', () => {
    expect(told.safeParse(ANSWER).success).toBe(true);
    expect(told.safeParse({ ...ANSWER, more: 1 }).success).toBe(false);
    for (const key of Object.keys(ANSWER)) {
      expect([key, told.safeParse({ ...ANSWER, [key]: undefined }).success]).toEqual([key, false]);
      expect([key, parseVerdict(JSON.stringify({ ...ANSWER, [key]: undefined })).ok]).toEqual([key, false]);
    }
  });

  it('uses only keywords that structured outputs support', () => {
    const text = JSON.stringify(VERDICT_JSON_SCHEMA);
    for (const keyword of [
      'minimum',
      'maximum',
      'minLength',
      'maxLength',
      'minItems',
      'maxItems',
      'oneOf',
      '$ref',
    ]) {
      expect(text).not.toContain(`"${keyword}"`);
    }
    expect(text.match(/"type":"object"/g)).toHaveLength(2);
    expect(text.match(/"additionalProperties":false/g)).toHaveLength(2);
  });
});

describe('findJsonObjects', () => {
  it.each<[string, readonly object[]]>([
    ['{"a":1}', [{ a: 1 }]],
    ['x {"a":"}\\"{"} y {"b":{"c":2}} z', [{ a: '}"{' }, { b: { c: 2 } }]],
    ['an apostrophe\'s "quote {"a":1}', [{ a: 1 }]],
    ['{bad} {"a":1}', [{ a: 1 }]],
    ['{"a":1', []],
  ])('%s', (text, expected) => {
    expect(findJsonObjects(text)).toEqual(expected);
  });
});
