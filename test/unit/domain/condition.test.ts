import { compileCondition, evaluateCondition } from '../../../src/domain/condition';
import type { ConditionValues } from '../../../src/domain/condition';

const VALUES: ConditionValues = {
  status: 200,
  latency_ms: 12.3,
  body: 'all good',
  json: { ok: true, count: 3, ratio: 2.5, items: [{ name: 'a', n: 4 }] },
  headers: { 'content-type': 'application/json' },
  connected: true,
  error: '',
  value: 12.3,
};

function evaluate(text: string, values: ConditionValues = VALUES): { ok: boolean; error: string | null } {
  const compiled = compileCondition(text);
  if (!compiled.ok) throw new Error(compiled.message);
  return evaluateCondition(compiled.condition, values);
}

function refusal(text: string): { message: string; column: number | null } {
  const compiled = compileCondition(text);
  if (compiled.ok) throw new Error(`accepted: ${text}`);
  return compiled;
}

describe('a condition that holds', () => {
  it.each([
    'status == 200',
    'status in [200, 204]',
    '< 200',
    '  <= 12.3',
    'latency_ms < 200',
    'latency_ms < 200.5 && connected',
    'body.contains("good")',
    'headers["content-type"].startsWith("application/")',
    'json.ok',
    'json.count == 3',
    'json.ratio > 2',
    'json.items.exists(item, item.n > 3 && item.name in ["a", "b"])',
    'json.items.filter(item, item.n > 3).size() == 1',
    'has(json.missing) ? false : true',
    'error == ""',
  ])('%s', (text) => {
    expect(evaluate(text)).toEqual({ ok: true, error: null });
  });

  it('compares value with a whole number', () => {
    expect(evaluate('value == 1', { value: 1 }).ok).toBe(true);
    expect(evaluate('value == 1', { value: 0 }).ok).toBe(false);
    expect(evaluate('== 1', { value: 1 }).ok).toBe(true);
  });
});

describe('a condition that fails says why', () => {
  it.each([
    ['status == 200', { status: 503 }, 'status == 200 is false (status 503)'],
    ['< 200', { value: 512.3 }, '< 200 is false (value 512.3)'],
    ['status == 200 && latency_ms < 9.5', VALUES, 'is false (status 200, latency_ms 12.3)'],
    ['body.contains("fine")', VALUES, 'body.contains("fine") is false'],
    ['json.missing == 1', VALUES, 'json.missing == 1: No such key: missing'],
    ['headers["x-none"] == "1"', VALUES, 'No such key: x-none'],
    ['json.ok', { json: null }, '(the body is not JSON)'],
    ['json.count', VALUES, 'gives number, not true or false'],
    ['cert_days_left > 14', VALUES, 'cert_days_left is not known for this query'],
  ])('%s', (text, values, message) => {
    const result = evaluate(text, values);
    expect(result.ok).toBe(false);
    expect(result.error).toContain(message);
  });
});

describe('a condition that is refused names the place', () => {
  it.each([
    ['', null, 'is empty'],
    ['   ', null, 'is empty'],
    ['status ==', 9, 'Unexpected token'],
    ['stat == 200', 1, 'Unknown variable: stat; known are status, latency_ms'],
    ['true && stat == 200', 9, 'Unknown variable: stat'],
    ['status == "200"', 1, 'int == string'],
    ['< "x"', 1, 'double < string'],
    ['status', 1, 'gives int, not true or false'],
    ['true && body.matches("(a+)+$")', 9, 'matches() is not allowed'],
    ['json.a.all(x, json.b.all(y, x == y))', 15, 'nested comprehensions'],
    ['json.a.filter(x, x > 1).exists(y, y > 2)', 1, 'nested comprehensions'],
    ['json.a.all(x, body.contains(x))', 15, 'body is not allowed inside a comprehension'],
    ['json.a.all(x, x in json.b)', 20, 'json is not allowed inside a comprehension'],
    ['cel.bind(x, json, x == x)', 1, 'cel.bind() is not allowed'],
  ])('%s', (text, column, message) => {
    const refused = refusal(text);
    expect(refused.message).toContain(message);
    expect(refused.column).toBe(column);
  });

  it('above 1,000 characters', () => {
    expect(refusal(`status == 200${' '.repeat(988)}`).message).toContain('1001 characters');
  });

  it('nested too deep, without a crash', () => {
    expect(refusal('('.repeat(900)).message).toContain('maxDepth');
  });
});

it('a large answer does not hang an accepted condition', () => {
  const json = { a: Array.from({ length: 30_000 }, (_, index) => index) };
  const startedAt = performance.now();
  expect(evaluate('json.a.all(x, x >= 0) && !json.a.exists(x, x == -1)', { json }).ok).toBe(true);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
