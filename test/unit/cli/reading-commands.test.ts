import type { Control, ServiceStatus } from '../../../src/domain/service-state';
import { WebProblem, WebTimeout, WebUnreachable } from '../../../src/client/web-client';
import { fakeWeb, runWords } from './run-words';

const AT = '2026-01-01T00:00:00.000Z';
const list = (...items: unknown[]) => ({ items, next_cursor: null });
const service = (patch: object = {}) => ({
  name: 'api',
  state: 'running',
  pid: 42,
  started_at: AT,
  exit: null,
  restarts: 0,
  ready: true,
  desired: 'running',
  ...patch,
});
const invariant = (patch: object = {}) => ({
  id: 'api_up',
  query: 'http://x/',
  condition: 'status == 200',
  enabled: true,
  service: 'api',
  priority: 'high',
  source: 'file',
  state: 'up',
  since: AT,
  last_check: null,
  open_ticket_id: null,
  ...patch,
});
const ticket = (patch: object = {}) => ({
  id: 'T1',
  invariant_id: 'api_up',
  status: 'in_progress',
  blocked_on: null,
  phase: 'acting',
  resolution: null,
  objective: 'Bring api\nback',
  priority: 'high',
  brain: 'runbook',
  service: 'api',
  attempt: 1,
  created_at: AT,
  detected_at: AT,
  closed_at: null,
  ...patch,
});
const component = (status: string) => ({ name: 'monitor', status, detail: 'says so' });

function overview(parts: { ready?: object; services?: object[]; invariants?: object[]; tickets?: object[] }) {
  return fakeWeb({
    'GET /ready': parts.ready ?? { status: 'ok', components: [component('ok')] },
    'GET /api/v1/services': list(...(parts.services ?? [service()])),
    'GET /api/v1/invariants': list(...(parts.invariants ?? [invariant()])),
    'GET /api/v1/tickets?status=open': list(...(parts.tickets ?? [])),
  });
}

describe('status', () => {
  test('all is well: exit 0, aligned columns, no colour without a terminal', async () => {
    const { code, out } = await runWords(['status'], { web: overview({}) });
    expect(code).toBe(0);
    expect(out).toBe(
      [
        'COMPONENT  STATUS  DETAIL',
        'monitor    ok      says so',
        '',
        'SERVICE  STATE    READY  PID  UP  RESTARTS  DESIRED  LAST EXIT',
        'api      running  yes    42   1m  0         running  -',
        '',
        'ID      STATE  SINCE  SERVICE  PRIORITY  SOURCE  TICKET  RULE',
        'api_up  up     1m     api      high      file    -       http://x/  status == 200',
        '',
        'all is well',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [
      'a component is degraded',
      { ready: { components: [component('degraded')] } },
      'monitor is degraded: says so',
    ],
    [
      'the harness is not ready (503)',
      { ready: { status: 503, body: { components: [component('down')] } } },
      'monitor is down: says so',
    ],
    [
      'a service is down',
      { services: [service({ state: 'exited', ready: false })] },
      'service api is exited',
    ],
    ['an invariant is down', { invariants: [invariant({ state: 'down' })] }, 'invariant api_up is down'],
    ['nobody knows yet', { invariants: [invariant({ state: 'unknown' })] }, 'invariant api_up is unknown'],
    ['a ticket is open', { tickets: [ticket()] }, 'ticket T1 is in_progress'],
  ])('%s: exit 3 and the finding', async (_name, parts, finding) => {
    const { code, out } = await runWords(['status'], { web: overview(parts) });
    expect(code).toBe(3);
    expect(out).toContain(`! ${finding}`);
    const asJson = await runWords(['status', '--json'], { web: overview(parts) });
    expect(asJson.code).toBe(3);
    expect(JSON.parse(asJson.out)).toMatchObject({
      ok: false,
      findings: [expect.stringContaining(finding) as string],
    });
  });

  test.each([
    ['stopped on purpose', { services: [service({ state: 'stopped', ready: false, desired: 'stopped' })] }],
    ['not run by the harness', { services: [service({ state: 'external', ready: false })] }],
    ['disabled', { invariants: [invariant({ state: 'paused', enabled: false })] }],
  ])('%s is well: exit 0', async (_name, parts) => {
    expect((await runWords(['status'], { web: overview(parts) })).code).toBe(0);
  });

  const webDown = () => fakeWeb({ 'GET /ready': new WebUnreachable('refused') });
  const dead = {
    name: 'web',
    state: 'exited',
    pid: null,
    exit: { code: null, signal: 'SIGKILL', at: AT },
  } as const;

  test('web down, supervisor up: what the supervisor knows, exit 3', async () => {
    const control: Control = {
      snapshot: () => Promise.resolve({ services: [], components: [dead] }),
      act: () => Promise.reject(new Error('not asked for')),
    };
    const { code, out, err } = await runWords(['status'], { web: allOf(webDown()), control });
    expect(code).toBe(3);
    expect(out).toContain(`web        exited  -    SIGKILL at ${AT}`);
    expect(err).toContain('the web process gives no answer (refused)');
  });

  test('nobody there: exit 69 and the message of the client', async () => {
    const { code, out, err } = await runWords(['status'], { web: allOf(webDown()) });
    expect({ code, out, err }).toEqual({ code: 69, out: '', err: 'harness: refused\n' });
  });
});

/** Every call gets the answer of the first script entry. */
function allOf(web: ReturnType<typeof fakeWeb>) {
  return { request: () => web.request('/ready') };
}

describe('tickets', () => {
  test('the filters go to the API, one line a ticket', async () => {
    const web = fakeWeb({ 'GET /api/v1/tickets?status=open&invariant=api_up&limit=5': list(ticket()) });
    const { code, out } = await runWords(
      ['tickets', '--status', 'open', '--invariant', 'api_up', '--limit', '5'],
      { web },
    );
    expect(code).toBe(0);
    expect(out.split('\n')[1]).toBe(
      'T1  in_progress  acting  high      runbook  api_up     1m   Bring api back',
    );
  });

  test('none: nothing on stdout, a word on stderr', async () => {
    const ran = await runWords(['tickets'], { web: fakeWeb({ 'GET /api/v1/tickets': list() }) });
    expect(ran).toEqual({ code: 0, out: '', err: 'no tickets\n' });
  });

  test('--json is the answer of the API as it is', async () => {
    const body = { items: [{ anything: 1 }], next_cursor: 'x' };
    const { out } = await runWords(['tickets', '--json'], { web: fakeWeb({ 'GET /api/v1/tickets': body }) });
    expect(JSON.parse(out)).toEqual(body);
  });

  test('an answer in an unknown form is named, not shown as an empty list', async () => {
    const web = fakeWeb({ 'GET /api/v1/tickets': { tickets: [] } });
    const { code, err } = await runWords(['tickets'], { web });
    expect(code).toBe(1);
    expect(err).toContain('answered /api/v1/tickets in a form this command does not know');
  });
});

describe('ticket show', () => {
  const detail = ticket({
    status: 'completed',
    phase: null,
    resolution: 'fixed',
    closed_at: '2026-01-01T00:00:02.500Z',
    success_criteria: 'api_up holds',
    evidence: [{ id: 'E1', kind: 'check', at: AT, title: 'check failed', text: 'ECONNREFUSED\nsecond' }],
    notes: [{ at: '2026-01-01T00:00:01.000Z', by: 'ann', text: 'seen \u001b[31mred\u001b[0m' }],
    timeline: [
      { at: AT, kind: 'detected', title: 'api_up fails', detail: '', ok: false },
      { at: '2026-01-01T00:00:02.000Z', kind: 'tool', title: 'restart', detail: 'a\nb\nc\nd\ne', ok: true },
    ],
    escalation: { at: AT, reason: 'needs you', report: 'Facts:\n\n- none' },
  });
  const web = () => fakeWeb({ 'GET /api/v1/tickets/T1': detail });

  test('tells the story with seconds since the detection', async () => {
    const { code, out } = await runWords(['ticket', 'show', 'T1'], { web: web() });
    expect(code).toBe(0);
    for (const line of [
      'Ticket T1  completed / fixed  high',
      'success    api_up holds',
      'closed     2026-01-01T00:00:02.500Z (2.5s after detection)',
      '  E1 check failed',
      '    ECONNREFUSED',
      '    second',
      '      +0.00s ✗ api_up fails'.slice(1),
      '     +2.00s ✓ restart',
      '              a',
      '              … 2 more lines',
      '     +1.00s ann: seen red',
      '  needs you',
      '  - none',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
    expect(out).not.toContain('\u001b');
  });

  test('says who thought in each turn, what it cost, and who took over', async () => {
    const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`;
    const proposed = (second: number, title: string) => ({
      at: at(second),
      kind: 'proposed',
      title,
      detail: '',
      ok: null,
    });
    const tokens = { input: 34, cache_write_5m: 200, cache_write_1h: 0, cache_read: 1_000, output: 210 };
    const claude = { brain: 'claude', model: 'claude-opus-5-5', tokens, usd: 0.0126 };
    const body = {
      ...detail,
      brains: ['claude', 'runbook'],
      cost: 1.5,
      tokens,
      timeline: [
        proposed(1, 'turn 1: inspect_service'),
        proposed(2, 'turn 2: cannot go on'),
        {
          at: at(2),
          kind: 'handed_over',
          title: 'the runbook brain takes over from claude',
          detail: 'the budget is spent',
          ok: null,
        },
        proposed(3, 'turn 3: no call'),
        proposed(4, 'turn 4: nobody knows who'),
      ],
      turns: [
        { ...claude, ended_at: at(1) },
        { ...claude, usd: null, tokens: { output: 7, input: 5 }, ended_at: at(2) },
        { brain: 'runbook', model: null, tokens: null, usd: null, ended_at: at(3) },
      ],
    };
    const { out } = await runWords(['ticket', 'show', 'T1'], {
      web: fakeWeb({ 'GET /api/v1/tickets/T1': body }),
    });
    for (const line of [
      'brain      runbook, attempt 1 (before: claude)',
      'cost       $1.50 · 1,234 in (1,000 cached) / 210 out',
      '     +1.00s   turn 1: inspect_service  claude-opus-5-5 · 1,234 in (1,000 cached) / 210 out · $0.013',
      '     +2.00s   turn 2: cannot go on  claude-opus-5-5 · 5 in / 7 out · price unknown',
      '     +2.00s   the runbook brain takes over from claude',
      '              the budget is spent',
      '     +3.00s   turn 3: no call  runbook',
      '     +4.00s   turn 4: nobody knows who',
    ]) {
      expect(out.split('\n')).toContain(line);
    }
    expect((await runWords(['ticket', 'show', 'T1'], { web: web() })).out).not.toContain('cost ');
  });

  test('says who had its edits put back', async () => {
    const undone = { at: AT, by: 'ann', reason: 'meant so', files: ['/etc/a.json', '/etc/b.json'] };
    const { out } = await runWords(['ticket', 'show', 'T1'], {
      web: fakeWeb({ 'GET /api/v1/tickets/T1': { ...detail, undone } }),
    });
    expect(out).toContain(
      `undone     ${AT} by ann (meant so); put back as found:\n           /etc/a.json\n           /etc/b.json\n`,
    );
    expect((await runWords(['ticket', 'show', 'T1'], { web: web() })).out).not.toContain('undone');
  });

  test('colours on a terminal, none with NO_COLOR', async () => {
    const words = ['ticket', 'show', 'T1'];
    expect((await runWords(words, { web: web(), isTTY: true })).out).toContain('\u001b[');
    const env = { NO_COLOR: '1', FORCE_COLOR: '1' };
    expect((await runWords(words, { web: web(), isTTY: true, env })).out).not.toContain('\u001b');
  });
});

describe('check', () => {
  const path = 'POST /api/v1/invariants/api_up/check';
  const result = { at: AT, ok: true, latency_ms: 3.4, resolved: { status: 200 }, error: null };

  test('holds: exit 0 with the values', async () => {
    const { code, out } = await runWords(['check', 'api_up'], { web: fakeWeb({ [path]: result }) });
    expect({ code, out }).toEqual({ code: 0, out: 'api_up holds (3 ms)\n  status = 200\n' });
  });

  test('does not hold: exit 3 with the reason', async () => {
    const web = fakeWeb({ [path]: { ...result, ok: false, error: 'status == 200 is false' } });
    const { code, out } = await runWords(['check', 'api_up'], { web });
    expect(code).toBe(3);
    expect(out).toContain('api_up does not hold (3 ms)\n  status == 200 is false');
  });
});

describe('service list and orders go to the control socket', () => {
  const running: ServiceStatus = {
    name: 'api',
    state: 'running',
    pid: 42,
    startedAt: AT,
    exit: null,
    restarts: 2,
    ready: true,
    desired: 'running',
  };
  const controlOf = (status: ServiceStatus, outcome: 'performed' | 'failed' = 'performed') => {
    const requests: unknown[] = [];
    const control: Control = {
      snapshot: () => Promise.resolve({ services: [status], components: [] }),
      act: (request) => {
        requests.push(request);
        return Promise.resolve({ outcome, service: status, message: 'said', lastLines: ['last line'] });
      },
    };
    return { control, requests };
  };

  test('list, as a table and as JSON of the wire', async () => {
    const { control } = controlOf(running);
    expect((await runWords(['service', 'list'], { control })).out).toContain(
      'api      running  yes    42   1m  2',
    );
    const { out } = await runWords(['service', 'list', '--json'], { control });
    const { startedAt, ...rest } = running;
    expect(JSON.parse(out)).toEqual({ items: [{ ...rest, started_at: startedAt }], next_cursor: null });
  });

  test('status: 0 when ready, 3 when not, 4 when unknown', async () => {
    const { control } = controlOf(running);
    expect((await runWords(['service', 'status', 'api'], { control })).code).toBe(0);
    const broken = controlOf({ ...running, ready: false });
    expect((await runWords(['service', 'status', 'api'], broken)).code).toBe(3);
    const unknown = await runWords(['service', 'status', 'nope'], { control });
    expect(unknown).toMatchObject({ code: 4, err: 'harness: there is no service "nope"; configured: api\n' });
  });

  test.each(['start', 'stop', 'restart'])('%s is ordered by a person', async (action) => {
    const { control, requests } = controlOf(running);
    const { code, err } = await runWords(['service', action, 'api'], { control });
    expect({ code, requests }).toEqual({ code: 0, requests: [{ service: 'api', action, by: 'person' }] });
    expect(err).toContain('said\n');
  });

  test('a failed order: exit 1 with the last log lines', async () => {
    const { code, err } = await runWords(['service', 'start', 'api'], controlOf(running, 'failed'));
    expect({ code, err }).toEqual({ code: 1, err: 'said\nlast line\n' });
  });

  test('nobody listens: exit 69', async () => {
    expect((await runWords(['service', 'list'])).code).toBe(69);
  });
});

test.each([
  [new WebProblem(401, 'Unauthorized'), 77],
  [new WebProblem(403, 'Forbidden'), 77],
  [new WebProblem(404, 'Not found'), 4],
  [new WebProblem(409, 'Conflict'), 1],
  [new WebProblem(422, 'Invalid input'), 2],
  [new WebProblem(500, 'Broken'), 1],
  [new WebProblem(503, 'No Temporal'), 69],
  [new WebTimeout('slow'), 75],
  [new WebUnreachable('nobody'), 69],
])('%s ends with exit %i and its message', async (error, expected) => {
  const { code, err, out } = await runWords(['ticket', 'show', 'T1'], {
    web: fakeWeb({ 'GET /api/v1/tickets/T1': error }),
  });
  expect({ code, err, out }).toEqual({ code: expected, err: `harness: ${error.message}\n`, out: '' });
});
