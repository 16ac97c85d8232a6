import {
  always,
  answersTo,
  bodyOf,
  ClaudeBench,
  expectFixedBy,
  toldTo,
  USUAL,
} from '../support/claude-bench';
import type { Plan } from '../support/claude-bench';
import { FAULTS } from '../support/claude-server/faults';
import type { Fault } from '../support/claude-server/faults';
import { exitOf } from '../support/harness-process';
import { startStranger } from '../support/stranger';

jest.setTimeout(150_000);

const SERVICE = 'patient';

let bench: ClaudeBench;
beforeAll(async () => {
  bench = await ClaudeBench.create(SERVICE);
});
afterAll(async () => {
  await bench.dispose();
});
afterEach(() => {
  expect(bench.model.problems).toEqual([]);
});

const failWith = (faults: Plan['faults']) => bench.fail({ ...(faults && { faults }) });

it('no fault: Claude looks, restarts, and is proven right', async () => {
  const outcome = await bench.fail();
  expectFixedBy('claude', outcome);
  expect(outcome.requests.length).toBe(USUAL);
});

describe('a call that fails once is made again, and Claude goes on', () => {
  it.each([
    ['529 overloaded', FAULTS.overloaded()],
    ['500 api_error', FAULTS.serverError()],
    ['a connection cut in the middle of the stream', FAULTS.cutMidStream()],
    ['a stream that ends too early', FAULTS.earlyEnd()],
    ['an error event in the stream', FAULTS.errorEvent()],
  ])('%s', async (_name, fault) => {
    const outcome = await failWith({ 2: fault });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    expect(bodyOf(outcome, 2)?.messages).toEqual(bodyOf(outcome, 1)?.messages);
  });

  it('429 with retry-after 3: not asked before', async () => {
    const outcome = await failWith({ 2: FAULTS.rateLimit({ retryAfterS: 3 }) });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    const [, refused, next] = outcome.requests;
    const waitedMs = (next?.arrivedAtMs ?? 0) - (refused?.endedAtMs ?? Infinity);
    expect(waitedMs).toBeGreaterThanOrEqual(2_990);
    expect(waitedMs).toBeLessThan(8_000);
  });

  it('no reply at all, then a stream that falls silent: each is given up after 20 s', async () => {
    const outcome = await failWith({ 1: FAULTS.hang(), 3: FAULTS.hang(4) });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 2);
    for (const index of [0, 2]) {
      const { arrivedAtMs = 0, disconnectedAtMs } = outcome.requests[index] ?? {};
      expect((disconnectedAtMs ?? Infinity) - arrivedAtMs).toBeLessThan(25_000);
    }
  });

  it('max_tokens inside the call that restarts: not carried out; the same turn again with more room', async () => {
    const outcome = await failWith({ 2: FAULTS.maxTokensInCall() });
    expectFixedBy('claude', outcome);
    expect(outcome.requests.length).toBe(USUAL + 1);
    const [first, second] = [bodyOf(outcome, 1), bodyOf(outcome, 2)];
    expect(second.messages).toEqual(first.messages);
    expect(second.max_tokens).toBeGreaterThan(first.max_tokens ?? Infinity);
    expect(answersTo(outcome).map(({ name }) => name)).toEqual(['inspect_service', 'service_control']);
  });
});

describe('a call that goes on failing is left to the runbook, which finishes the ticket', () => {
  // Each failure counts for the pause of the whole agent, so a ticket without one comes between two that use up all tries.
  it.each<[string, number, RegExp, Record<number, Fault>]>([
    ['529 for ever', 5, /Overloaded.*is tried again/, always(FAULTS.overloaded())],
    ['429 with retry-after 300', 2, /rate limit/, always(FAULTS.rateLimit({ retryAfterS: 300 }))],
    ['500 for ever', 5, /Internal server error/, always(FAULTS.serverError())],
    ['429 without a time: a spend limit', 2, /spend limit/, always(FAULTS.rateLimit())],
    ['401', 2, /ANTHROPIC_API_KEY/, always(FAULTS.http(401, 'authentication_error', 'invalid x-api-key'))],
    ['402', 2, /credit/, always(FAULTS.http(402, 'billing_error', 'Your credit balance is too low'))],
    ['404', 2, /agent\.model/, always(FAULTS.http(404, 'not_found_error', 'model: no-such'))],
    ['400', 2, /Report it/, always(FAULTS.http(400, 'invalid_request_error', 'messages: no'))],
    ['a cut stream twice', 3, /stream ended before/, always(FAULTS.cutMidStream())],
    ['an error event for ever', 5, /Overloaded/, always(FAULTS.errorEvent())],
    ['max_tokens twice', 3, /cut off at its token limit/, always(FAULTS.maxTokensInCall())],
    ['a refusal', 2, /the model refused \(cyber/, always(FAULTS.refusal())],
    ['no room left in the context', 2, /no longer fits/, always(FAULTS.contextWindowExceeded())],
  ])('%s: %i requests', async (_name, asked, reason, faults) => {
    const outcome = await failWith(faults);
    expectFixedBy('runbook', outcome);
    expect(outcome.requests.length).toBe(asked);
    const [told] = toldTo('runbook', outcome.history);
    expect(told).toMatch(/^The claude brain could not go on: /);
    expect(told).toMatch(reason);
  });
});

it('neither brain can repair it: a person is asked, and hears from both; it closes by itself afterwards', async () => {
  const { faulty } = bench;
  await bench.forget();
  bench.plan({ faults: always(FAULTS.refusal(), 1) });
  const { process: thief, taken } = await startStranger(faulty.ports.get(SERVICE) ?? 0, 404);
  try {
    await bench.kill();
    await taken;
    const ticket = await faulty.blockedTicket(SERVICE);
    expect(ticket).toMatchObject({
      blocked_on: 'person',
      brains: ['claude', 'runbook'],
      escalation: {
        reason: expect.stringContaining(`pid ${thief.pid}`),
        report: expect.stringMatching(
          /kill \d+[^]*the runbook brain takes over from claude: the model refused/,
        ),
      },
    });
  } finally {
    thief.kill('SIGKILL');
    await exitOf(thief);
  }
  expect(await faulty.closedTicket(SERVICE)).toMatchObject({ status: 'completed', resolution: 'fixed' });
});

it('an API that is dead for one ticket after another: soon not asked any more', async () => {
  const dead = { faults: always(FAULTS.overloaded(), 1) };
  const first = await bench.fail(dead);
  expectFixedBy('runbook', first);
  expect(first.requests.length).toBe(4);
  const second = await bench.fail(dead);
  expectFixedBy('runbook', second);
  expect(second.requests.length).toBe(1);
  expect(toldTo('runbook', second.history)[0]).toContain('it is not asked again for');
});
