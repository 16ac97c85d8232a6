import { ControlUnreachable } from '../../../../src/client/control-errors';
import type { CheckResult } from '../../../../src/domain/check';
import type { Json } from '../../../../src/domain/json';
import type { ControlResult, ServiceStatus } from '../../../../src/domain/service-state';
import { isToolName } from '../../../../src/domain/tool';
import { runbookPlayer } from '../../../support/claude-server/runbook-player';
import type { ScriptedTurn } from '../../../support/claude-server/script';
import { callTool, makeControl, makeDeps, makeStatus, makeTempDirs, NOW } from '../../../support/tool-deps';
import { ask, clientOf, closeServers, PARAMS, requestOf, serve } from './support';

afterEach(closeServers);

const dataDir = makeTempDirs()();
const RUNNING = makeStatus();
const EXITED = makeStatus({
  state: 'exited',
  pid: null,
  ready: false,
  exit: { code: null, signal: 'SIGKILL', at: '2026-01-01T00:00:30.000Z' },
});
const BOOTING = makeStatus({ ready: false, startedAt: '2026-01-01T00:00:50.000Z' });
const SILENT = 'connect ECONNREFUSED 127.0.0.1:8001';

function check(error: string | null): CheckResult {
  const ok = error === null;
  const at = NOW.toISOString();
  return { invariantId: 'limiter_healthy', revision: 1, at, ok, latencyMs: 3, resolved: {}, error };
}

interface World {
  readonly statuses: readonly (ServiceStatus | null | Error)[];
  readonly errors: readonly (string | null)[];
  readonly results?: readonly ControlResult[];
}

/** The real tools over a supervisor and a check that answer as the case says. */
function makeWorld({ statuses, errors, results = [] }: World) {
  const left = [...errors];
  const control = makeControl({ statuses, results });
  const probe = () => Promise.resolve(check((left.length > 1 ? left.shift() : left[0]) ?? null));
  return { control, deps: makeDeps(dataDir, { control, probe }) };
}

/** Plays until a status is proposed; what was called, in order. */
async function play(world: World, turns = 10) {
  const { control, deps } = makeWorld(world);
  const server = await serve({ script: runbookPlayer() });
  const client = clientOf(server);
  const messages: (typeof PARAMS)['messages'] = [{ role: 'user', content: 'Ticket T1\nservice: limiter' }];
  const params = { ...PARAMS, tools: PARAMS.tools.map((tool) => ({ ...tool, strict: false })) };
  const calls: { readonly name: string; readonly input: Record<string, Json> }[] = [];
  const history = [...messages] as Parameters<typeof ask>[1]['messages'];
  while (calls.length < turns) {
    const reply = await ask(client, { ...params, messages: history });
    const call = reply.content.find((block) => block.type === 'tool_use');
    if (!call || !isToolName(call.name)) throw new Error(`no call: ${JSON.stringify(reply.content)}`);
    const input = call.input as Record<string, Json>;
    calls.push({ name: call.name, input });
    if (call.name === 'update_ticket_status') break;
    const { content, isError } = await callTool(deps, call.name, input);
    const result = { type: 'tool_result' as const, tool_use_id: call.id, content, is_error: isError };
    history.push({ role: 'assistant', content: reply.content }, { role: 'user', content: [result] });
  }
  expect(server.problems).toEqual([]);
  return { calls, requests: control.requests };
}

test('a killed service: look, restart what was seen, propose completed', async () => {
  const done = { outcome: 'performed', service: RUNNING, message: 'restarted', lastLines: [] } as const;
  const { calls, requests } = await play({
    statuses: [EXITED, RUNNING],
    errors: [SILENT, null],
    results: [done],
  });
  expect(calls).toEqual([
    { name: 'inspect_service', input: { service: 'limiter' } },
    { name: 'service_control', input: { service: 'limiter', action: 'restart', expect: 'exited' } },
    {
      name: 'update_ticket_status',
      input: { status: 'completed', reason: 'After a restart the invariant holds.' },
    },
  ]);
  expect(requests).toEqual([expect.objectContaining({ action: 'restart', expect: 'exited' })]);
});

test('nothing wrong any more: propose completed at once', async () => {
  const { calls, requests } = await play({ statuses: [RUNNING], errors: [null] });
  expect(calls.map(({ name }) => name)).toEqual(['inspect_service', 'update_ticket_status']);
  expect(requests).toEqual([]);
});

test('still booting: wait, and leave it alone', async () => {
  const { calls, requests } = await play({ statuses: [BOOTING, RUNNING], errors: [SILENT, SILENT, null] });
  expect(calls.map(({ input }) => input['wait_s'])).toEqual([undefined, 5, undefined]);
  expect(calls.at(-1)?.input).toMatchObject({ status: 'completed' });
  expect(requests).toEqual([]);
});

test('a restart that fails: look again, and ask a person rather than try twice', async () => {
  const failed = { outcome: 'failed', service: EXITED, message: 'it ended', lastLines: ['boom'] } as const;
  const { calls, requests } = await play({ statuses: [EXITED], errors: [SILENT], results: [failed] });
  expect(calls.map(({ name }) => name)).toEqual([
    'inspect_service',
    'service_control',
    'inspect_service',
    'update_ticket_status',
  ]);
  expect(calls.at(-1)?.input).toMatchObject({
    status: 'blocked',
    reason: expect.stringContaining('still broken'),
  });
  expect(requests).toHaveLength(1);
});

test('not as it was seen: nothing was done, so look and restart what is there now', async () => {
  const fenced = { outcome: 'fenced', service: EXITED, message: 'another pid', lastLines: [] } as const;
  const done = { outcome: 'performed', service: RUNNING, message: 'restarted', lastLines: [] } as const;
  const { calls } = await play({ statuses: [EXITED], errors: [SILENT], results: [fenced, done] });
  expect(calls.map(({ name }) => name)).toEqual([
    'inspect_service',
    'service_control',
    'inspect_service',
    'service_control',
    'update_ticket_status',
  ]);
});

describe('what a first look shows, and what follows', () => {
  test.each<[string, World, Record<string, unknown>]>([
    [
      'silent but alive: patience',
      { statuses: [RUNNING], errors: [SILENT] },
      { service: 'limiter', wait_s: 4.5 },
    ],
    [
      'a wrong answer: a person',
      { statuses: [RUNNING], errors: ['status == 200 is false (status 503)'] },
      { status: 'blocked' },
    ],
    [
      'stopped by a person: a person',
      { statuses: [{ ...EXITED, desired: 'stopped' }], errors: [SILENT] },
      { status: 'blocked' },
    ],
    ['not run by the harness: a person', { statuses: [null], errors: [SILENT] }, { status: 'blocked' }],
    [
      'not to be seen: look again',
      { statuses: [new ControlUnreachable('/run/control.sock', 'ENOENT', false)], errors: [SILENT] },
      { service: 'limiter', wait_s: 5 },
    ],
  ])('%s', async (_what, world, expected) => {
    const { deps } = makeWorld(world);
    const seen = await callTool(deps, 'inspect_service', { service: 'limiter' });
    expect(next([['inspect_service', { service: 'limiter' }, seen.content, seen.isError]])).toMatchObject(
      expected,
    );
  });

  test('a stranger on its port is left alone', async () => {
    const owner = { pid: 4711, command: 'nc -l', user: 'ana', startedAt: null, ours: false, port: 8001 };
    const { deps } = makeWorld({ statuses: [EXITED], errors: [SILENT] });
    const seen = await callTool(
      {
        ...deps,
        lookAtPorts: () => () => () => owner,
        probe: (_id, ownerOf) => Promise.resolve(ownerOf({ ip: '127.0.0.1', port: 8001 }) && check(SILENT)),
      },
      'inspect_service',
      { service: 'limiter' },
    );
    expect(next([['inspect_service', {}, seen.content, false]])).toMatchObject({ status: 'blocked' });
  });
});

test('silent for longer than patience lasts: restart the very process that was seen', async () => {
  const { deps } = makeWorld({ statuses: [RUNNING], errors: [SILENT] });
  const seen = await callTool(deps, 'inspect_service', { service: 'limiter' });
  const step = next([['inspect_service', { service: 'limiter', wait_s: 4.5 }, seen.content, false]]);
  expect(step).toMatchObject({
    action: 'restart',
    expect: { pid: RUNNING.pid, started_at: RUNNING.startedAt },
  });
});

test('a proof that failed: look again; a refusal because of a pause: a person; no end: a person', () => {
  const proof: Answered = ['update_ticket_status', { status: 'completed' }, 'It does not hold.', true];
  expect(next([proof])).toEqual({ service: 'limiter' });
  const paused: Answered = ['service_control', { action: 'restart' }, 'Refused: ana paused it', true];
  expect(next([paused])).toMatchObject({ status: 'blocked' });
  const blind: Answered = ['inspect_service', {}, 'The supervisor is away.', true];
  expect(next(Array<Answered>(9).fill(blind))).toMatchObject({ status: 'blocked' });
});

test('a person has it: nothing more to do', () => {
  const turn = stepAfter([['update_ticket_status', { status: 'blocked' }, 'Handed over.', false]]);
  expect(turn.calls).toBeUndefined();
});

test('a prompt without a service is a problem of the test', () => {
  expect(() => runbookPlayer()(requestOf({ messages: [{ role: 'user', content: 'Help.' }] }))).toThrow(
    /names no service/,
  );
});

type Answered = readonly [name: string, input: object, text: string, isError: boolean];

/** The input of the next call after these. */
function next(answered: readonly Answered[]): unknown {
  return stepAfter(answered).calls?.[0]?.input;
}

function stepAfter(answered: readonly Answered[]): ScriptedTurn {
  const messages = answered.flatMap(([name, input, text, isError], index) => [
    { role: 'assistant', content: [{ type: 'tool_use', id: `t${index}`, name, input }] },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: `t${index}`, content: text, is_error: isError }],
    },
  ]);
  return runbookPlayer({ service: 'limiter' })(
    requestOf({ messages: [{ role: 'user', content: 'Repair it.' }, ...messages] }),
  );
}
