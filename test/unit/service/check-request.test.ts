import { parseCheckRequest } from '../../../src/service/check-request';

describe('parseCheckRequest with capacity 100', () => {
  it.each([
    ['{"key": "a"}', 'a', 1],
    ['{"key": "a", "cost": 100}', 'a', 100],
    [`{"key": "${'k'.repeat(256)}"}`, 'k'.repeat(256), 1],
    ['{"key": "__proto__"}', '__proto__', 1],
    ['{"cost": 2e0, "key": "\\u0000 ✓"}', '\u0000 ✓', 2],
  ])('%j: accepted', (body, key, cost) => {
    expect(parseCheckRequest(body, 100)).toEqual({ ok: true, key, cost });
  });

  it.each([
    ['', null, 'not valid JSON'],
    ['{"key": SECRET}', null, 'not valid JSON'],
    ['null', null, 'JSON object'],
    ['["SECRET"]', null, 'JSON object'],
    ['"SECRET"', null, 'JSON object'],
    ['{"key": "a", "SECRET": 1}', null, 'unknown field; the fields are "key" and "cost"'],
    ['{"key": "a", "__proto__": {}}', null, 'unknown field'],
    ['{}', 'key', 'key must be a string of 1 to 256'],
    ['{"key": ""}', 'key', 'key must be'],
    ['{"key": 7}', 'key', 'key must be'],
    ['{"key": null}', 'key', 'key must be'],
    [`{"key": "${'SECRET'.repeat(43)}"}`, 'key', 'key must be'],
    ['{"key": "a", "cost": "SECRET"}', 'cost', 'cost must be a whole number of at least 1'],
    ['{"key": "a", "cost": 0}', 'cost', 'cost must be'],
    ['{"key": "a", "cost": -1}', 'cost', 'cost must be'],
    ['{"key": "a", "cost": 1.5}', 'cost', 'cost must be'],
    ['{"key": "a", "cost": null}', 'cost', 'cost must be'],
    ['{"key": "a", "cost": 101}', 'cost', 'above the capacity 100'],
    ['{"key": "a", "cost": 1e308}', 'cost', 'above the capacity 100'],
  ])('%j: refused, names the field %j, quotes nothing', (body, field, expected) => {
    const parsed = parseCheckRequest(body, 100);
    expect(parsed).toEqual({ ok: false, field, detail: expect.stringContaining(expected) as string });
    expect(JSON.stringify(parsed)).not.toContain('SECRET');
  });
});
