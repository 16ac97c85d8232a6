import type { CheckResult } from '../../../src/domain/check';
import type { Inspection } from '../../../src/domain/inspection';
import type { Json } from '../../../src/domain/json';
import { HUNG_AFTER_MS, nextRunbookStep } from '../../../src/domain/runbook';
import type { RunbookInput } from '../../../src/domain/runbook';
import type { RunbookStep } from '../../../src/domain/runbook-steps';
import { parseRunbookMemory } from '../../../src/domain/runbook-memory';
import type { RunbookMemory } from '../../../src/domain/runbook-memory';
import type { ServiceStatus } from '../../../src/domain/service-state';
import type { ToolResult } from '../../../src/domain/tool';

const DETECTED = '2026-01-01T00:00:00.000Z';
const after = (ms: number) => new Date(Date.parse(DETECTED) + ms).toISOString();

const refused: CheckResult = {
  invariantId: 'api_healthy',
  revision: 1,
  at: DETECTED,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error: 'connect ECONNREFUSED 127.0.0.1:1',
  failure: 'no_answer',
};
const silent: CheckResult = { ...refused, resolved: { connected: true }, error: 'no answer within 2000 ms' };
const answered503: CheckResult = {
  ...refused,
  resolved: { status: 503 },
  error: 'status == 200 is false (status 503)',
  failure: 'wrong_answer',
};
const brokenCheck: CheckResult = { ...refused, error: 'self-signed certificate', failure: 'check_broken' };
const answered404: CheckResult = {
  ...refused,
  resolved: { status: 404 },
  error: 'status == 200 is false (status 404)',
  failure: 'wrong_answer',
};
const holds: CheckResult = { ...refused, ok: true, resolved: { status: 200 }, error: null };

const running: ServiceStatus = {
  name: 'api',
  state: 'running',
  pid: 42,
  startedAt: DETECTED,
  exit: null,
  restarts: 0,
  ready: true,
  desired: 'running',
};
const exited: ServiceStatus = {
  ...running,
  state: 'exited',
  pid: null,
  exit: { code: null, signal: 'SIGKILL', at: DETECTED },
};

const OPENED = {
  detectedAt: DETECTED,
  begunBy: 'opened',
  relapses: { count: 0, limit: 5 },
} as const satisfies Partial<RunbookInput>;

function inspection(change: Partial<Inspection>): Inspection {
  return {
    service: running,
    controllable: true,
    process: { state: 'S' },
    starting: false,
    portOwner: null,
    invariant: silent,
    answersElsewhere: false,
    lastLines: ['last words'],
    changed: [],
    ...change,
  };
}

function result(tool: string, data: unknown, change: Partial<ToolResult> = {}): ToolResult {
  return { callId: 'c', tool, isError: false, content: 'said', data: data as Json, ...change };
}

function step(results: ToolResult[], memory: RunbookMemory | null = null, now = after(10_000)): RunbookStep {
  return nextRunbookStep({ ...OPENED, service: 'api', now, results, memory });
}

const seen = (change: Partial<Inspection>, memory: RunbookMemory | null = null, now?: string) =>
  step([result('inspect_service', inspection(change))], memory, now);

describe('the runbook ladder', () => {
  it('looks before it does anything', () => {
    expect(step([])).toMatchObject({ tool: 'inspect_service', input: { service: 'api' } });
  });

  it('no service belongs to the invariant: a person', () => {
    const first = nextRunbookStep({
      ...OPENED,
      service: null,
      now: DETECTED,
      results: [],
      memory: null,
    });
    expect(first).toMatchObject({ tool: 'update_ticket_status', input: { status: 'blocked' } });
  });

  const rungs: [string, Partial<Inspection>, string, Record<string, unknown>][] = [
    ['it holds again', { invariant: holds }, 'update_ticket_status', { status: 'completed' }],
    ['dead', { service: exited, process: null }, 'service_control', { action: 'restart', expect: 'exited' }],
    [
      'stopped by a signal',
      { process: { state: 'T' } },
      'service_control',
      { action: 'restart', expect: { pid: 42, started_at: DETECTED } },
    ],
    [
      'alive and silent for long',
      {},
      'service_control',
      { action: 'restart', expect: { pid: 42, started_at: DETECTED } },
    ],
    ['booting', { starting: true }, 'inspect_service', { wait_s: 5 }],
    [
      'not found, though the service is fine: the check is doubted',
      { invariant: answered404, answersElsewhere: true },
      'update_ticket_status',
      { status: 'blocked', reason: expect.stringContaining('the check itself looks wrong') },
    ],
    [
      'refused, though the service is fine: the check is doubted',
      { invariant: { ...refused, resolved: { connected: false } }, answersElsewhere: true },
      'update_ticket_status',
      { status: 'blocked', reason: expect.stringContaining('was not touched') },
    ],
    ['answers wrongly', { invariant: answered503 }, 'update_ticket_status', { status: 'blocked' }],
    [
      'stopped by a person',
      { service: { ...exited, desired: 'stopped' } },
      'update_ticket_status',
      { status: 'blocked' },
    ],
    ['the check itself is broken', { invariant: brokenCheck }, 'update_ticket_status', { status: 'blocked' }],
    ['its invariant was removed', { invariant: null }, 'update_ticket_status', { status: 'completed' }],
    [
      'dead, whatever the check says',
      { service: exited, invariant: brokenCheck },
      'service_control',
      { expect: 'exited' },
    ],
    ['not ours to start', { controllable: false }, 'update_ticket_status', { status: 'blocked' }],
    ['unknown to the supervisor', { service: null }, 'update_ticket_status', { status: 'blocked' }],
  ];
  it.each(rungs)('%s', (_name, change, tool, input) => {
    expect(seen(change)).toMatchObject({ tool, input });
  });

  const stranger = {
    port: 8001,
    pid: 4711,
    command: 'python3 -m http.server 8001',
    user: 'ana',
    startedAt: '2025-12-31T23:00:00.000Z',
    ours: false,
  };
  it.each<[string, Partial<Inspection>]>([
    ['dead', { service: exited, process: null }],
    ['booting', { starting: true }],
    ['stopped by a signal', { process: { state: 'T' } }],
    ['silent', {}],
    ['answers wrongly', { invariant: answered503 }],
  ])('%s, and a stranger holds its port: a person, who is told what to do; nothing else', (_name, change) => {
    const asked = seen({ ...change, portOwner: stranger });
    expect(asked).toMatchObject({
      tool: 'update_ticket_status',
      input: {
        status: 'blocked',
        reason: 'Port 8001 is answered by pid 4711 (python3 -m http.server 8001), not by api.',
      },
    });
    for (const part of [
      'user ana',
      'since 2025-12-31T23:00:00.000Z',
      '`kill 4711`',
      'by itself',
      'harness service stop api',
    ])
      expect(asked.input['report']).toContain(part);
  });

  it.each<[string, Partial<Inspection>, string]>([
    ['its own process holds the port', { portOwner: { ...stranger, ours: true } }, 'service_control'],
    ['the invariant holds all the same', { portOwner: stranger, invariant: holds }, 'completed'],
    [
      'a person stopped the service',
      { portOwner: stranger, service: { ...exited, desired: 'stopped' } },
      'stopped by a person',
    ],
  ])('%s: the stranger is not the question', (_name, change, expected) => {
    expect(JSON.stringify(seen(change))).toContain(expected);
  });

  it('silent but alive: not touched before it has been failing for 4.5 s', () => {
    const early = seen({}, null, after(HUNG_AFTER_MS - 1_500));
    expect(early).toMatchObject({ tool: 'inspect_service', input: { wait_s: 1.5 } });
    expect(seen({}, null, after(HUNG_AFTER_MS - 1)).tool).toBe('inspect_service');
    expect(seen({}, null, after(HUNG_AFTER_MS))).toMatchObject({ tool: 'service_control' });
  });

  it('stopped by a signal: given the same time, a short stop heals itself', () => {
    const stopped = { process: { state: 'T' } };
    expect(seen(stopped, null, after(HUNG_AFTER_MS - 1)).tool).toBe('inspect_service');
    expect(seen(stopped, null, after(HUNG_AFTER_MS)).tool).toBe('service_control');
  });

  it.each([
    ['forward', 3_600_000],
    ['back', -3_600_000],
  ])('the clock is set %s by an hour: the stall still gets its 4.5 s, then the restart', (_name, jumpMs) => {
    const early = seen({}, null, after(jumpMs));
    expect(early).toMatchObject({ tool: 'inspect_service', input: { wait_s: HUNG_AFTER_MS / 1_000 } });
    expect(seen({}, early.memory, after(jumpMs))).toMatchObject({ tool: 'service_control' });
  });

  it('after a restart that worked: asks for the proof and says what was done', () => {
    const restart = seen({ service: exited });
    const next = step([result('service_control', { outcome: 'performed' })], restart.memory);
    expect(next.input).toEqual({ status: 'completed', reason: 'After restart of api the invariant holds.' });
  });

  it.each(['fenced', 'failed'])('after a restart that was %s: looks again', (outcome) => {
    const restart = seen({ service: exited });
    expect(step([result('service_control', { outcome })], restart.memory)).toMatchObject({
      tool: 'inspect_service',
    });
  });

  it('a start that never became ready: a person, with how it ended and its last words', () => {
    const restart = seen({ service: exited });
    const failed = step([result('service_control', { outcome: 'failed' })], restart.memory);
    const last = step([result('inspect_service', inspection({ service: exited }))], failed.memory);
    expect(last).toMatchObject({ tool: 'update_ticket_status', input: { status: 'blocked' } });
    expect(last.input['reason']).toBe('api is still broken after a restart. It ended by SIGKILL.');
    expect(last.input['report']).toMatch(/Tried:\n- restart of api\n\nTo try:\n- its log says: last words/);
  });

  it('killed again after a restart that worked: another fault, restarted again, but not without end', () => {
    let memory: RunbookMemory | null = null;
    let restarts = 0;
    for (;;) {
      const next: RunbookStep = seen({ service: exited }, memory);
      if (next.tool !== 'service_control') {
        expect(next).toMatchObject({ tool: 'update_ticket_status', input: { status: 'blocked' } });
        break;
      }
      restarts += 1;
      memory = step([result('service_control', { outcome: 'performed' })], next.memory).memory;
    }
    expect(restarts).toBe(4);
  });

  const relapsed = (
    count: number,
    memory: RunbookMemory | null,
    begunBy: RunbookInput['begunBy'] = 'opened',
  ) =>
    nextRunbookStep({
      ...OPENED,
      begunBy,
      relapses: { count, limit: 5 },
      service: 'api',
      now: after(10_000),
      results: [result('inspect_service', inspection({ service: exited }))],
      memory,
    });

  it('repairs that do not last: as ever below the limit, one late at it, a person above it', () => {
    expect(relapsed(4, null)).toMatchObject({ tool: 'service_control' });
    const late = relapsed(5, null);
    expect(late).toMatchObject({ tool: 'inspect_service', input: { wait_s: 30 } });
    expect(relapsed(5, late.memory)).toMatchObject({ tool: 'service_control' });
    const asks = relapsed(6, null);
    expect(asks).toMatchObject({ tool: 'update_ticket_status', input: { status: 'blocked' } });
    expect(asks.input['reason']).toMatch(/repaired and failed again within a minute, 6 times/);
  });

  it.each(['person', 'time', 'changed_files'] as const)(
    'repairs that did not last do not hold up an attempt that %s began',
    (begunBy) => {
      expect(relapsed(9, null, begunBy)).toMatchObject({ tool: 'service_control' });
    },
  );

  it.each(['changed_failure', 'changed_process'] as const)(
    'repairs that did not last hold up an attempt that %s began',
    (begunBy) => {
      expect(relapsed(6, null, begunBy)).toMatchObject({ input: { status: 'blocked' } });
    },
  );

  it('a failed proof: looks again and never closes by itself', () => {
    const next = step([result('update_ticket_status', null, { isError: true, content: 'Not verified' })]);
    expect(next).toMatchObject({ tool: 'inspect_service' });
  });

  it('the tool cannot see: looks again for a while, then a person, never a guess', () => {
    const blind = result('inspect_service', null, { isError: true, content: 'no supervisor' });
    let next = step([blind]);
    expect(next).toMatchObject({ tool: 'inspect_service', input: { wait_s: 5 } });
    for (let looks = 0; next.tool === 'inspect_service'; looks += 1) {
      expect(looks).toBeLessThan(10);
      next = step([blind], next.memory);
    }
    expect(next).toMatchObject({
      tool: 'update_ticket_status',
      input: { status: 'blocked', reason: 'no supervisor' },
    });
  });

  it('never looks for ever: a boot that does not end reaches a person', () => {
    let memory: RunbookMemory | null = null;
    for (let turn = 0; turn < 25; turn += 1) {
      const next: RunbookStep = turn === 0 ? step([]) : seen({ starting: true }, memory);
      if (next.tool === 'update_ticket_status') return;
      memory = next.memory;
    }
    throw new Error('still looking after 25 turns');
  });

  it('its memory survives a JSON round trip; something else is no memory', () => {
    const { memory } = seen({ service: exited });
    expect(parseRunbookMemory(JSON.parse(JSON.stringify(memory)) as Json)).toEqual(memory);
    expect(parseRunbookMemory({ looks: 1, restarts: 0, facts: [], tried: [] })).toMatchObject({
      silentMs: 0,
    });
    expect(parseRunbookMemory(null)).toBeNull();
    expect(parseRunbookMemory({ looks: 'many' })).toBeNull();
  });
});
