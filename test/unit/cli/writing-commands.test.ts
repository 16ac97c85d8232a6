import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebProblem } from '../../../src/client/web-client';
import { fakeWeb, runWords } from './run-words';

describe('what is sent', () => {
  test.each([
    [
      ['invariants', 'add', 'x', '--query', 'tcp://a:1', '--condition', 'connected', '--enabled', 'false'],
      'POST /api/v1/invariants',
      { id: 'x', query: 'tcp://a:1', condition: 'connected', enabled: false },
    ],
    [
      ['invariants', 'set', 'x', '--priority', 'low', '--timeout', '3s'],
      'PATCH /api/v1/invariants/x',
      { priority: 'low', timeout: '3s' },
    ],
    [['invariants', 'remove', 'x'], 'DELETE /api/v1/invariants/x', undefined],
    [['invariants', 'remove', 'x', '--purge'], 'DELETE /api/v1/invariants/x?purge=true', undefined],
    [
      ['ticket', 'note', 'T/1', 'look', 'there'],
      'POST /api/v1/tickets/T%2F1/notes',
      { text: 'look there', by: expect.any(String) as string },
    ],
    [
      ['ticket', 'cancel', 'T1', '--reason', 'planned'],
      'POST /api/v1/tickets/T1/cancel',
      { reason: 'planned', by: expect.any(String) as string },
    ],
    [
      ['ticket', 'dismiss', 'T1', '--reason', 'known'],
      'POST /api/v1/tickets/T1/dismiss',
      { reason: 'known', by: expect.any(String) as string },
    ],
    [
      ['ticket', 'retry', 'T1'],
      'POST /api/v1/tickets/T1/retry',
      { reason: expect.any(String) as string, by: expect.any(String) as string },
    ],
  ])('%j', async (words, call, body) => {
    const web = fakeWeb({ [call]: {} });
    const { code, out, err } = await runWords(words, { web });
    expect({ code, out, bodies: web.bodies }).toEqual({ code: 0, out: '', bodies: { [call]: body } });
    expect(err).not.toBe('');
  });

  test.each([
    [['pause'], 'POST /api/v1/pause', {}],
    [['pause', 'shop', '--for', '1h'], 'POST /api/v1/pause', { target: 'shop', for: '1h' }],
    [['resume', 'shop'], 'POST /api/v1/resume', { target: 'shop' }],
  ])('%j', async (words, call, body) => {
    const until = '2026-01-01T00:00:00.000Z';
    const items = [{ kind: 'service', name: 'shop', by: 'ana', at: until, until }];
    const web = fakeWeb({ [call]: { items, next_cursor: null } });
    const { code, err } = await runWords(words, { web });
    expect(code).toBe(0);
    expect(web.bodies[call]).toEqual({ ...body, by: expect.any(String) as string });
    expect(err).toContain(`service shop is paused by ana until ${until}`);
  });

  test('nothing to set is a usage error that never reaches the server', async () => {
    expect(await runWords(['invariants', 'set', 'x'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('nothing to set') as string,
    });
  });
});

describe('ticket undo', () => {
  const CALL = 'POST /api/v1/tickets/T1/undo';
  const answer = (over: object) => ({
    ticket_id: 'T1',
    state: 'done',
    undone: [],
    as_found: [],
    left: [],
    detail: '',
    ...over,
  });

  test.each([
    [
      'put back: exit 0',
      answer({ undone: ['/a'], as_found: ['/b'] }),
      0,
      'put back: /a\nwas as found already: /b\n',
      '',
    ],
    [
      'nothing left: exit 0 and a word',
      answer({ detail: 'Nothing was left to undo.' }),
      0,
      '',
      'Nothing was left',
    ],
    [
      'something was not: exit 1, and which',
      answer({ undone: ['/a'], left: [{ path: '/b', reason: 'was changed' }] }),
      1,
      'put back: /a\nnot put back: /b: was changed\n',
      '',
    ],
    [
      'no agent yet: exit 75',
      { status: 202, body: answer({ state: 'waiting', detail: 'No agent took the undo' }) },
      75,
      '',
      'No agent took the undo',
    ],
    ['unknown ticket: exit 4', new WebProblem(404, 'There is no ticket "T1"'), 4, '', 'no ticket'],
    ['being worked on: exit 1', new WebProblem(409, 'cancel it'), 1, '', 'cancel it'],
  ])('%s', async (_what, given, code, out, err) => {
    const web = fakeWeb({ [CALL]: given });
    const ran = await runWords(['ticket', 'undo', 'T1', '--reason', 'meant so'], { web });
    expect({ code: ran.code, out: ran.out }).toEqual({ code, out });
    expect(ran.err).toContain(err);
    expect(web.bodies[CALL]).toEqual({ reason: 'meant so', by: expect.any(String) as string });
  });

  test('--json: the answer as it came', async () => {
    const given = answer({ undone: ['/a'] });
    const { out } = await runWords(['ticket', 'undo', 'T1', '--json'], { web: fakeWeb({ [CALL]: given }) });
    expect(JSON.parse(out)).toEqual(given);
  });
});

describe('usage errors end with exit 2 and name what is wrong', () => {
  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['tickets', '--foo'], "unknown option '--foo'"],
    [['tickets', '--status', 'sleeping'], 'Allowed choices are open, pending'],
    [['check'], "missing required argument 'id'"],
    [['status', 'extra'], 'too many arguments'],
    [['invariants', 'add', 'x', '--query', 'q'], "required option '--condition <cel>' not specified"],
    [['service', 'start'], "missing required argument 'name'"],
    [['demo', '--fault', 'earthquake'], 'Allowed choices are kill'],
    [['logs', '--limit', 'many'], '--limit many: expected a whole number'],
    [[], 'Usage: harness'],
  ])('%j', async (words, message) => {
    const { code, out, err } = await runWords(words);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(message);
  });

  test('--help is data: stdout, exit 0', async () => {
    const { code, out, err } = await runWords(['--help']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('Usage: harness');
  });
});

describe('configuration', () => {
  let cwd: string;
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), 'harness-cli-'));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  test('config print masks what sounds secret and keeps references', async () => {
    writeFileSync(
      join(cwd, 'harness.yaml'),
      `version: 1
web: { host: 0.0.0.0 }
services: { a: { env: { DB_PASSWORD: hunter2, API_TOKEN: "\${env:X}", PORT: "1" } } }
invariants:
  - { id: a_up, query: "http://a/", condition: status == 200, request: { headers: { Authorization: "Bearer hunter3" } } }
`,
    );
    const env = { HARNESS_TOKEN: 'hunter4-hunter4-hunter4', TEMPORAL_API_KEY: 'hunter5' };
    for (const words of [
      ['config', 'print'],
      ['config', 'print', '--json'],
    ]) {
      const { code, out } = await runWords(words, { cwd, env });
      expect(code).toBe(0);
      expect(out).not.toContain('hunter');
      expect(out).toContain('${env:X}');
    }
    const { out } = await runWords(['config', 'print', '--json'], { cwd, env });
    expect(JSON.parse(out)).toMatchObject({
      web: { token: '***' },
      temporal: { apiKey: '***' },
      services: [{ env: { DB_PASSWORD: '***', PORT: '1' } }],
    });
  });

  test('a bad file ends with exit 78 and every problem', async () => {
    writeFileSync(join(cwd, 'bad.yaml'), 'version: 2\nfoo: 1\n');
    const { code, out, err } = await runWords(['config', 'print', '--config', 'bad.yaml'], { cwd });
    expect({ code, out }).toEqual({ code: 78, out: '' });
    expect(err).toBe(
      `harness: bad.yaml:1:10: version: expected 1, got 2
bad.yaml:2:1: unknown key "foo" (value 1); allowed: version, data_dir, web, temporal, run, services, invariants, monitor, analyst, agent
`,
    );
  });

  test('doctor names a bad configuration as a finding: exit 3', async () => {
    writeFileSync(join(cwd, 'harness.yaml'), 'version: 2\n');
    const { code, out } = await runWords(['doctor'], { cwd });
    expect(code).toBe(3);
    expect(out).toContain('config  fail    harness.yaml:1:10: version: expected 1, got 2');
  });

  test('logs of an unknown service: exit 4; of a silent one: exit 0 and a word', async () => {
    expect((await runWords(['logs', 'nope'], { cwd })).code).toBe(4);
    const silent = await runWords(['logs', 'rate_limiter'], { cwd });
    expect(silent).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('no log lines yet') as string,
    });
  });
});
