import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../../src/config/paths';
import { ClaudeBench, expectFixedBy, toldTo, USUAL } from '../support/claude-bench';
import type { Outcome, Say } from '../support/claude-bench';
import { FAULTS } from '../support/claude-server/faults';
import { HarnessWorkspace } from '../support/harness-process';
import { turnAsked } from '../support/six-turns';

jest.setTimeout(150_000);

const SERVICE = 'patient';
/** Asks for ever, something else each time. */
const asking: Say = (request) => ({
  calls: [{ name: 'query_logs', input: { contains: `${turnAsked(request)}` } }],
});

let bench: ClaudeBench;
beforeAll(async () => {
  bench = await ClaudeBench.create(SERVICE);
});
afterAll(async () => {
  await bench.dispose();
});
afterEach(() => {
  expect(bench.model.problems).toEqual([]);
  bench.model.latencyMs = 0;
});

interface SpendLine {
  readonly ticketId: string;
  /** Null for what the analyst cost. */
  readonly attempt: number | null;
  readonly tokens: { readonly output: number };
  readonly usd: number;
}

function spentOn({ ticket }: Outcome): readonly SpendLine[] {
  const folder = paths.spend(bench.faulty.workspace.dataDir);
  return readdirSync(folder)
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as SpendLine]))
    .filter(({ ticketId, attempt }) => ticketId === ticket['id'] && attempt !== null);
}

const reasonOf = ({ history }: Outcome) => toldTo('runbook', history)[0];

it('enough of everything: Claude finishes, and each call is in the books once, a broken one too', async () => {
  const outcome = await bench.fail({ faults: { 2: FAULTS.cutMidStream() } });
  expectFixedBy('claude', outcome);
  const lines = spentOn(outcome);
  expect(lines).toHaveLength(USUAL + 1);
  expect(lines.every(({ usd }) => usd > 0)).toBe(true);
});

it.each([
  ['usd', { usd: 0.01 }],
  ['tokens', { tokens: 1_000 }],
  ['turns', { turns: 4 }],
])('agent.budget.%s is spent in the middle of a ticket: the runbook finishes it', async (name, budget) => {
  await bench.replaceAgent({ budget });
  const outcome = await bench.fail({ say: asking });
  expectFixedBy('runbook', outcome);
  expect(reasonOf(outcome)).toMatch(name === 'turns' ? /its 4 turns are spent/ : `agent.budget.${name}`);
  const spent = spentOn(outcome);
  expect(spent).toHaveLength(outcome.requests.length);
  if (name === 'turns') expect(spent).toHaveLength(4);
  if (name !== 'usd') return;
  const usd = spent.reduce((sum, line) => sum + line.usd, 0);
  // What is left below a millionth counts as nothing.
  expect(usd).toBeGreaterThan(0.01 - 1e-6);
  // Before the last call there was room.
  expect(usd - (spent.at(-1)?.usd ?? 0)).toBeLessThan(0.01);
});

it('agent.budget.wall_clock is spent by a slow model: the runbook finishes it', async () => {
  await bench.replaceAgent({ budget: { wall_clock: '10s' } });
  bench.model.latencyMs = 10_000;
  const outcome = await bench.fail({ say: asking });
  expectFixedBy('runbook', outcome);
  expect(outcome.requests.length).toBe(1);
  expect(reasonOf(outcome)).toContain('agent.budget.wall_clock');
});

it('agent.budget.usd_per_day is spent by earlier tickets: the model is not asked at all', async () => {
  await bench.replaceAgent({ budget: { usd_per_day: 0.01 } });
  const outcome = await bench.fail();
  expectFixedBy('runbook', outcome);
  expect(outcome.requests.length).toBe(0);
  expect(spentOn(outcome)).toEqual([]);
  expect(reasonOf(outcome)).toContain('agent.budget.usd_per_day');
});

it('agent.profile plain: the same ticket without any of Claude’s extras', async () => {
  await bench.replaceAgent({ profile: 'plain' });
  const outcome = await bench.fail({
    faults: { 1: FAULTS.malformedInput('{"service": "patient", action}') },
  });
  expectFixedBy('claude', outcome);
  expect(outcome.requests).toHaveLength(USUAL + 1);
  for (const { body } of outcome.requests) {
    expect(JSON.stringify(body)).not.toMatch(/"(output_config|cache_control|strict)"/);
    expect(body).not.toHaveProperty('thinking');
  }
});

it('agent.brain claude without a key: exit 78, and what to do', async () => {
  const workspace = await HarnessWorkspace.create((config) => {
    config['agent'] = { brain: 'claude' };
  });
  const { code, stdout, stderr } = await workspace.cli('run');
  expect(code).toBe(78);
  expect(stdout + stderr).toContain(
    'agent.brain is "claude" and ANTHROPIC_API_KEY is not set; set it, or set agent.brain to auto or runbook',
  );
  expect(workspace.processes()).toEqual([]);
  await workspace.dispose();
});
