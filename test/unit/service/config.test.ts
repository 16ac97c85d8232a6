import { DEFAULT_CONFIG_TEXT, parseConfig } from '../../../src/service/config';

const DEFAULTS = { enabled: true, delayMs: 0, capacity: 100, refillPerSecond: 50 };

describe('parseConfig', () => {
  it('the text written at the first start: the documented defaults', () => {
    expect(parseConfig(DEFAULT_CONFIG_TEXT)).toEqual({ ok: true, config: DEFAULTS });
    expect(Object.keys(JSON.parse(DEFAULT_CONFIG_TEXT) as object)).toEqual([
      'enabled',
      'delay_ms',
      'capacity',
      'refill_per_second',
    ]);
  });

  it.each([
    ['{}', {}],
    ['{"enabled": false}', { enabled: false }],
    ['{"delay_ms": 60000}', { delayMs: 60_000 }],
    ['{"capacity": 1}', { capacity: 1 }],
    ['{"capacity": 1000000}', { capacity: 1_000_000 }],
    ['{"refill_per_second": 0.5}', { refillPerSecond: 0.5 }],
  ])('%s: accepted, the rest has defaults', (text, expected) => {
    expect(parseConfig(text)).toEqual({ ok: true, config: { ...DEFAULTS, ...expected } });
  });

  it.each([
    ['', 'the file is empty'],
    [' \n', 'the file is empty'],
    ['{"enabled": true,\n  "delay_ms": 5,}', 'line 2, column 17'],
    ['{"enabled": tru', 'not valid JSON'],
    ['null', 'must be a JSON object, not null'],
    ['[]', 'must be a JSON object, not []'],
    ['"x"', 'must be a JSON object, not "x"'],
    ['{"enbled": true}', 'unknown field "enbled"; the fields are enabled, delay_ms, capacity'],
    ['{"__proto__": {"enabled": false}}', 'unknown field "__proto__"'],
    ['{"toString": 1}', 'unknown field "toString"'],
    ['{"enabled": "yes"}', 'enabled must be true or false, not "yes"'],
    ['{"enabled": null}', 'enabled must be true or false, not null'],
    ['{"delay_ms": -1}', 'delay_ms must be a whole number from 0 to 60000, not -1'],
    ['{"delay_ms": 60001}', 'not 60001'],
    ['{"delay_ms": 1.5}', 'delay_ms must be a whole number'],
    ['{"capacity": 0}', 'capacity must be a whole number from 1 to 1000000, not 0'],
    ['{"capacity": "100"}', 'capacity must be a whole number from 1 to 1000000, not "100"'],
    ['{"refill_per_second": 0}', 'refill_per_second must be a number from 0.001 to 1000000, not 0'],
    ['{"refill_per_second": 1e999}', 'refill_per_second must be'],
  ])('%j: refused, the problem says %j', (text, expected) => {
    const parsed = parseConfig(text);
    expect(parsed).toEqual({ ok: false, problem: expect.stringContaining(expected) as string });
  });

  it('several wrong values: all are named', () => {
    const parsed = parseConfig('{"delay_ms": -1, "enabled": 1}');
    expect(parsed).toEqual({ ok: false, problem: expect.stringMatching(/enabled .*; delay_ms /) as string });
  });

  it('a huge value: the problem stays short', () => {
    const parsed = parseConfig(JSON.stringify({ enabled: 'x'.repeat(10_000) }));
    expect(JSON.stringify(parsed).length).toBeLessThan(200);
  });
});
