import { BUILTIN_COMMAND_RULES } from '../../../src/domain/command-rules';
import { decideCall, visibleServices } from '../../../src/domain/policy';
import type { Pause } from '../../../src/domain/pause';
import type { Json } from '../../../src/domain/json';
import { TOOLS } from '../../../src/domain/tool';

const files = { edit: [] };
const services = [
  { name: 'limiter', command: ['node'], dependsOn: ['cache', 'unknown'], files: { edit: ['/etc/l.json'] } },
  { name: 'cache', command: ['redis'], dependsOn: [], files },
  { name: 'gateway', command: ['node'], dependsOn: ['limiter'], files },
  { name: 'stranger', command: ['node'], dependsOn: [], files },
  { name: 'nginx', command: null, dependsOn: [], files },
];

function decide(
  name: string,
  input: { [key: string]: Json },
  ticketService: string | null = 'limiter',
  pause: Pause | null = null,
) {
  return decideCall(
    { id: 'c1', name, input },
    { ticketService, services, commandRules: BUILTIN_COMMAND_RULES, pause },
  );
}
const belief = { pid: 7, started_at: '2026-01-01T00:00:00.000Z' };

describe('decideCall allows', () => {
  it.each<[string, { [key: string]: Json }]>([
    ['inspect_service', { service: 'limiter' }],
    ['inspect_service', { service: 'cache' }],
    ['inspect_service', { service: 'gateway' }],
    ['query_logs', {}],
    ['query_logs', { service: 'gateway' }],
    ['query_metrics', {}],
    ['read_file', { path: 'x' }],
    ['list_files', {}],
    ['search_code', { text: 'x' }],
    ['run_command', { argv: ['ps', 'aux'] }],
    ['service_control', { service: 'limiter', action: 'status' }],
    ['service_control', { service: 'cache', action: 'status' }],
    ['service_control', { service: 'limiter', action: 'restart', expect: belief }],
    ['service_control', { service: 'limiter', action: 'start', expect: 'exited' }],
    ['what_changed', { service: 'limiter' }],
    ['edit_file', { path: 'l.json', old: 'a', new: 'b' }],
    ['restore_file', { path: 'l.json' }],
    ['undo_edits', {}],
    ['add_ticket_note', { text: 'x' }],
    ['update_ticket_status', { status: 'completed', reason: 'x' }],
  ])('%s %j', (name, input) => {
    expect(decide(name, input)).toMatchObject({ verdict: 'allow' });
  });
});

describe('decideCall denies', () => {
  it.each<[string, { [key: string]: Json }, string, string]>([
    ['rm_rf', {}, 'unknown-tool', 'service_control'],
    ['constructor', {}, 'unknown-tool', 'inspect_service'],
    ['inspect_service', { service: 'stranger' }, 'other-service', '"limiter"'],
    ['inspect_service', { service: 'unknown' }, 'other-service', '"cache"'],
    ['inspect_service', {}, 'other-service', 'null'],
    ['inspect_service', { service: ['limiter'] }, 'other-service', '"gateway"'],
    ['query_logs', { service: 'stranger' }, 'other-service', '"limiter"'],
    [
      'service_control',
      { service: 'cache', action: 'restart', expect: belief },
      'other-service',
      '"limiter"',
    ],
    ['service_control', { service: 'stranger', action: 'status' }, 'other-service', '"limiter"'],
    ['service_control', { service: 'limiter', action: 'restart' }, 'acting-needs-expect', 'inspect_service'],
    [
      'service_control',
      { service: 'limiter', action: 'restart', expect: null },
      'acting-needs-expect',
      'inspect_service',
    ],
    [
      'service_control',
      { service: 'limiter', action: 'destroy', expect: 'exited' },
      'unknown-action',
      'restart',
    ],
    ['service_control', { service: 'limiter' }, 'unknown-action', 'status'],
    ['run_command', { argv: ['rm', '-rf', '/'] }, 'command-not-allowed', 'ps'],
    ['run_command', { argv: 'ps aux' }, 'command-malformed', 'no shell'],
    ['run_command', { argv: ['ps', 1] }, 'command-malformed', 'list of words'],
    ['run_command', {}, 'command-malformed', 'list of words'],
  ])('%s %j as %s, naming the way: %s', (name, input, rule, way) => {
    const decision = decide(name, input);
    expect(decision).toMatchObject({ verdict: 'deny', rule });
    expect(decision.reason).toContain(way);
  });

  it('acting on a service the harness does not run: ask a person', () => {
    const decision = decide(
      'service_control',
      { service: 'nginx', action: 'restart', expect: 'exited' },
      'nginx',
    );
    expect(decision).toMatchObject({ verdict: 'deny', rule: 'not-controllable' });
    expect(decision.reason).toContain('ask a person');
  });

  it.each(TOOLS.filter((tool) => !['run_command', 'add_ticket_note', 'update_ticket_status'].includes(tool)))(
    '%s for a ticket without a service, and for one of a service that is not configured here',
    (tool) => {
      const input = { service: 'limiter', action: 'restart', expect: 'exited' };
      expect(decide(tool, input, null)).toMatchObject({ verdict: 'deny' });
      expect(decide(tool, input, 'gone')).toMatchObject({ verdict: 'deny' });
    },
  );

  it.each(['service_control', 'edit_file', 'restore_file', 'undo_edits'])(
    '%s on something a person paused, and says who did until when',
    (tool) => {
      const input = { service: 'limiter', action: 'restart', expect: 'exited', path: 'l.json' };
      const pause: Pause = { target: { kind: 'all' }, by: 'ana', at: '09:00', until: '10:00' };
      const decision = decide(tool, input, 'limiter', pause);
      expect(decision).toMatchObject({ verdict: 'deny', rule: 'paused' });
      expect(decision.reason).toMatch(/ana paused it at 09:00 until 10:00/);
      expect(decide(tool, input)).toMatchObject({ verdict: 'allow' });
      expect(decide('inspect_service', input, 'limiter', pause)).toMatchObject({ verdict: 'allow' });
      const status = { ...input, action: 'status' };
      expect(decide('service_control', status, 'limiter', pause)).toMatchObject({ verdict: 'allow' });
    },
  );

  it('a very long target is cut in the reason', () => {
    expect(decide('inspect_service', { service: 'x'.repeat(10_000) }).reason.length).toBeLessThan(400);
  });
});

describe('visibleServices', () => {
  it('is the own service, its configured dependencies and its dependants', () => {
    expect(visibleServices({ ticketService: 'limiter', services })).toEqual(['limiter', 'cache', 'gateway']);
  });
  it('is empty without an own service', () => {
    expect(visibleServices({ ticketService: null, services })).toEqual([]);
  });
});
