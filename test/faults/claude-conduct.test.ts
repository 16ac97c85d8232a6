import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  always,
  answersTo,
  beginWith,
  bodyOf,
  ClaudeBench,
  expectFixedBy,
  toldTo,
  USUAL,
} from '../support/claude-bench';
import type { Say } from '../support/claude-bench';
import { FAULTS } from '../support/claude-server/faults';
import type { ScriptedCall } from '../support/claude-server/script';
import type { Json } from '../support/harness-process';
import { turnAsked } from '../support/six-turns';
import { waitFor } from '../support/wait-for';

jest.setTimeout(150_000);

const SERVICE = 'patient';
const LOOK: ScriptedCall = { name: 'inspect_service', input: { service: SERVICE } };
const LOGS: ScriptedCall = { name: 'query_logs', input: { contains: 'no line has this' } };
const UPTIME: ScriptedCall = { name: 'run_command', input: { argv: ['uptime'] } };
const RESTART: ScriptedCall = {
  name: 'service_control',
  input: { service: SERVICE, action: 'restart', expect: 'exited' },
};
const DONE: ScriptedCall = { name: 'update_ticket_status', input: { status: 'completed', reason: 'It is.' } };

/** In a trajectory: answered without having begun. */
const NOT_RUN = { decision: { verdict: 'deny', rule: 'not run' }, started_at: null };

let bench: ClaudeBench;
const file = (name: string) => join(bench.faulty.workspace.dataDir, name);

beforeAll(async () => {
  bench = await ClaudeBench.create(SERVICE, {
    start: false,
    change: (config) => {
      config['services'][SERVICE].files = { edit: ['${data_dir}/mine.json'] };
    },
  });
  mkdirSync(bench.faulty.workspace.dataDir, { recursive: true });
  for (const name of ['mine.json', 'theirs.json']) writeFileSync(file(name), '{ "pool": 4 }\n');
  await bench.run();
});
afterAll(async () => {
  await bench.dispose();
});
afterEach(() => {
  expect(bench.model.problems).toEqual([]);
});

const turn = (...calls: readonly ScriptedCall[]) => ({ thinking: 'Let me see.', calls });
const callsOf = (trajectory: Json, index: number) =>
  trajectory['turns'][index]['calls'] as { call: { name: string }; decision: Json; result: Json }[];

describe('a wrong call is answered, and Claude goes on', () => {
  it('input that is not what the tool asks for: nothing runs, and the answer says what it may be', async () => {
    const outcome = await bench.fail({ faults: { 1: FAULTS.malformedInput() } });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    expect(answersTo(outcome)[0]).toMatchObject({
      isError: true,
      text: expect.stringContaining(`may look at "${SERVICE}" only`),
    });
  });

  it('input that is no JSON: nothing runs, and the call is made again', async () => {
    const outcome = await bench.fail({
      faults: { 2: FAULTS.malformedInput('{"service": "patient", action}') },
    });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
  });

  it('a tool that does not exist: refused by policy, with the names of those that do', async () => {
    const outcome = await bench.fail({ faults: { 1: FAULTS.unknownTool() } });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    expect(callsOf(outcome.trajectory, 0)[0]).toMatchObject({
      call: { name: 'reboot_the_moon' },
      decision: { verdict: 'deny', rule: 'unknown-tool' },
    });
    expect(answersTo(outcome)[0]).toMatchObject({
      isError: true,
      text: expect.stringContaining('inspect_service'),
    });
  });

  it.each([
    ['input that is not what the tool asks for', FAULTS.malformedInput(), 'it calls what does not exist'],
    [
      'input that is no JSON',
      FAULTS.malformedInput('{"service": "patient", action}'),
      'the stream ended before the answer did',
    ],
    ['a tool that does not exist', FAULTS.unknownTool(), 'it calls what does not exist'],
  ])('%s, twice in a row: the runbook takes over', async (_name, fault, reason) => {
    const outcome = await bench.fail({ faults: always(fault, 1) });
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(2);
    expect(toldTo('runbook', outcome.history)[0]).toContain(reason);
  });

  it.each<[string, ScriptedCall, RegExp]>([
    [
      'a program that is not allowed',
      { name: 'run_command', input: { argv: ['rm', '-rf', '/'] } },
      /"ps".*"uptime"|ps.*uptime/s,
    ],
    [
      'an edit of a file that is not its own',
      { name: 'edit_file', input: { path: '../data/theirs.json', old: '4', new: '5' } },
      /mine\.json/,
    ],
    [
      'a restart without saying what it saw',
      { name: 'service_control', input: { service: SERVICE, action: 'restart' } },
      /call inspect_service first/,
    ],
    [
      'a restart of something else',
      { name: 'service_control', input: { service: 'temporal', action: 'restart', expect: 'exited' } },
      /may act on "patient" only/,
    ],
  ])('%s: refused, with the allowed way', async (_name, call, way) => {
    const outcome = await bench.fail({ say: beginWith(turn(call)) });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    expect(answersTo(outcome)[0]).toMatchObject({ isError: true, text: expect.stringMatching(way) });
    expect(readFileSync(file('theirs.json'), 'utf8')).toBe('{ "pool": 4 }\n');
  });
});

describe('several calls in one reply', () => {
  it('two reads: both run, answered in one user turn', async () => {
    const outcome = await bench.fail({ say: beginWith(turn(LOGS, UPTIME)) });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    const { messages } = bodyOf(outcome, 1);
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(answersTo(outcome).slice(0, 2)).toMatchObject([
      { name: 'query_logs', isError: false },
      { name: 'run_command', isError: false },
    ]);
  });

  it('a restart and a look: only the restart runs, and the look is answered as not run', async () => {
    const outcome = await bench.fail({ say: beginWith(turn(LOOK), turn(RESTART, LOOK)) });
    expectFixedBy('claude', outcome);
    expect(callsOf(outcome.trajectory, 1)).toMatchObject([
      { call: { name: 'service_control' }, decision: { verdict: 'allow' } },
      NOT_RUN,
    ]);
    expect(answersTo(outcome)[2]).toMatchObject({
      name: 'inspect_service',
      isError: true,
      text: expect.stringContaining('not executed because service_control ran first'),
    });
  });

  it('two restarts: one start', async () => {
    const outcome = await bench.fail({ say: beginWith(turn(LOOK), turn(RESTART, RESTART)) });
    expectFixedBy('claude', outcome);
    expect(callsOf(outcome.trajectory, 1)).toMatchObject([{ decision: { verdict: 'allow' } }, NOT_RUN]);
  });
});

describe('"fixed" without a repair never closes the ticket', () => {
  it('a turn that ends without a call: answered with the check that still fails', async () => {
    const outcome = await bench.fail({ faults: { 2: FAULTS.endTurn('All is well again.') } });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    const last = bodyOf(outcome, 2).messages.at(-1);
    expect(JSON.stringify(last?.content)).toContain(`Not verified; still failing: ${SERVICE}_healthy`);
    expect(outcome.trajectory['verifications']).toMatchObject([{ recovered: false }, { recovered: true }]);
  });

  it('the status "completed": an error with the check that still fails', async () => {
    const outcome = await bench.fail({ say: beginWith(turn(DONE)) });
    expectFixedBy('claude', outcome);
    expect(answersTo(outcome)[0]).toMatchObject({
      isError: true,
      text: expect.stringContaining(`Not verified; still failing: ${SERVICE}_healthy`),
    });
  });

  it('ends its turn again and again: the runbook takes over', async () => {
    const outcome = await bench.fail({ faults: always(FAULTS.endTurn()) });
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(4);
    expect(toldTo('runbook', outcome.history)[0]).toContain('it says that it is done, and it is not');
  });
});

describe('a model that goes round in circles is stopped', () => {
  it('one call for ever: run three times, then refused, then the runbook takes over', async () => {
    const outcome = await bench.fail({ say: () => turn(LOGS) });
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(6);
    const texts = answersTo(outcome).map(({ text }) => text);
    expect(texts.slice(0, 3).join()).not.toContain('Refused');
    for (const text of texts.slice(3)) {
      expect(text).toMatch(/Refused: query_logs with exactly this input gave the same result 3 times/);
    }
    expect(toldTo('runbook', outcome.history)[0]).toContain('it repeats calls that were refused');
  });

  it('a look that differs in nothing but what is measured: likewise', async () => {
    const outcome = await bench.fail({ say: () => turn(LOOK) });
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(6);
    expect(toldTo('runbook', outcome.history)[0]).toContain('it repeats calls that were refused');
  });

  it('one that always asks something else: ended by the number of turns', async () => {
    const say: Say = (request) => turn({ name: 'query_logs', input: { contains: `${turnAsked(request)}` } });
    const outcome = await bench.fail({ say });
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(25);
  });
});

describe('a ticket that a person cancels while the model thinks', () => {
  const start = () => bench.faulty.workspace.cli('service', 'start', SERVICE);

  it.each<[string, () => void]>([
    ['before its reply begins', () => (bench.model.latencyMs = 30_000)],
    ['in the middle of its reply', () => (bench.model.eventDelayMs = 5_000)],
  ])('%s: the connection is closed within a second, and nothing is done', async (_name, slowDown) => {
    await bench.forget();
    const before = (await bench.faulty.tickets(SERVICE)).length;
    const starts = bench.faulty.starts(SERVICE);
    const asked = bench.model.turnRequests.length;
    bench.plan({});
    slowDown();
    await bench.kill();
    const request = await waitFor('the model is asked', () =>
      Promise.resolve(bench.model.turnRequests[asked]),
    );
    if (bench.model.eventDelayMs > 0) {
      await waitFor('the reply has begun', () => Promise.resolve(request.status === 200));
    }
    const [ticket = {}] = await bench.faulty.tickets(SERVICE);
    const { code } = await bench.faulty.workspace.cli('ticket', 'cancel', String(ticket['id']));
    expect(code).toBe(0);
    const leftAtMs = await waitFor('the stand-in is left', () => Promise.resolve(request.disconnectedAtMs));
    const cancelled = (await bench.history(ticket)).find(({ type }) => type === 'cancel_requested');
    expect(performance.timeOrigin + leftAtMs - Date.parse(cancelled?.at ?? '')).toBeLessThan(1_000);
    const closed = await waitFor('the ticket is closed', async () => {
      const [newest] = await bench.faulty.tickets(SERVICE);
      return newest?.['closed_at'] === null ? null : newest;
    });
    expect(closed).toMatchObject({ id: ticket['id'], resolution: 'cancelled' });
    expect(await bench.faulty.tickets(SERVICE)).toHaveLength(before + 1);
    expect(bench.model.turnRequests).toHaveLength(asked + 1);
    expect(bench.faulty.starts(SERVICE)).toBe(starts);
    bench.model.latencyMs = 0;
    bench.model.eventDelayMs = 0;
    expect((await start()).code).toBe(0);
  });
});
