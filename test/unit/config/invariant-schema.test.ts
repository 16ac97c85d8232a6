import { parseInvariant } from '../../../src/config/invariant-schema';

const GOOD = { id: 'api_up', query: 'https://api.example/health', condition: 'status == 200' };

test('the three required fields are enough; everything else has its default', () => {
  expect(parseInvariant(GOOD)).toEqual({
    ok: true,
    definition: {
      id: 'api_up',
      name: 'api_up',
      description: '',
      query: 'https://api.example/health',
      condition: 'status == 200',
      enabled: true,
      service: null,
      request: { method: 'GET', headers: {}, body: null, followRedirects: 0 },
      timeoutMs: 2_000,
      confirm: { attempts: 3, spacingMs: 250 },
      recover: { successes: 3, spacingMs: 500 },
      priority: 'medium',
      suppressedBy: [],
    },
  });
});

test.each([
  ['no object', 'text', ['']],
  ['nothing', {}, ['id', 'query', 'condition']],
  ['unknown keys', { ...GOOD, foo: 1, bar: 2 }, ['foo', 'bar']],
  ['nested value', { ...GOOD, confirm: { attempts: 0 } }, ['confirm.attempts']],
  ['bad condition', { ...GOOD, condition: 'status ==' }, ['condition']],
  ['bad header', { ...GOOD, request: { headers: { A: 1 } } }, ['request.headers.A']],
  ['tls comes later', { ...GOOD, request: { tls: {} } }, ['request.tls']],
  ['prototype', JSON.parse('{"__proto__": {"id": "x"}}'), ['id', 'query', 'condition']],
])('%s: each problem has its path and a message', (_name, raw, paths) => {
  const parsed = parseInvariant(raw);
  if (parsed.ok) throw new Error('it was accepted');
  expect(parsed.problems.map((problem) => problem.path)).toEqual(expect.arrayContaining(paths));
  expect(parsed.problems.every((problem) => problem.message.length > 10)).toBe(true);
});

test('a reference to a secret is refused: only the file may send one', () => {
  const raw = { ...GOOD, request: { headers: { Authorization: 'Bearer ${env:ANTHROPIC_API_KEY}' } } };
  expect(parseInvariant(raw)).toEqual({
    ok: false,
    problems: [
      {
        path: 'request.headers.Authorization',
        message: expect.stringContaining('allowed only in harness.yaml') as string,
      },
    ],
  });
});
