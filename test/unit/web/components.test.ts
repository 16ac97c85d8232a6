import { judgeComponents } from '../../../src/web/components';
import type { ComponentFacts } from '../../../src/web/components';
import { durationText } from '../../../src/web/invariant-wire';

const NOW = new Date('2026-01-01T00:01:00.000Z');
const ago = (ms: number) => new Date(NOW.getTime() - ms);
const whole: ComponentFacts = {
  temporalError: null,
  lastSweep: { outcome: 'completed', at: ago(1_000) },
  agentAskedAt: ago(1_000),
  snapshot: { services: [], components: [] },
};
const judge = (over: Partial<ComponentFacts>) => judgeComponents({ ...whole, ...over }, 5_000, NOW);
const exited = (name: string, msAgo = 1_000) => ({
  services: [],
  components: [
    {
      name,
      state: 'exited' as const,
      pid: null,
      exit: { code: null, signal: 'SIGKILL', at: ago(msAgo).toISOString() },
    },
  ],
});

it.each<[string, Partial<ComponentFacts>, Record<string, string>]>([
  ['everything answers', {}, { temporal: 'ok', monitor: 'ok', agent: 'ok', supervisor: 'ok' }],
  [
    'the last sweep is 14.9 s old',
    { lastSweep: { outcome: 'completed', at: ago(14_900) } },
    { monitor: 'ok' },
  ],
  [
    'the last sweep is 15 s old',
    { lastSweep: { outcome: 'completed', at: ago(15_000) } },
    { monitor: 'down' },
  ],
  ['no sweep yet', { lastSweep: null }, { monitor: 'down', temporal: 'ok' }],
  [
    'a fresh sweep that failed',
    { lastSweep: { outcome: 'failed', at: ago(10), reason: 'x' } },
    { monitor: 'down' },
  ],
  ['the monitor just died', { snapshot: exited('monitor') }, { monitor: 'down', agent: 'ok' }],
  ['the agent just died', { snapshot: exited('agent') }, { agent: 'degraded', monitor: 'ok' }],
  [
    'the monitor died, and another one has swept since',
    { snapshot: exited('monitor', 5_000) },
    { monitor: 'ok', agent: 'ok' },
  ],
  [
    'the monitor died, and the last sweep ended within its last breath',
    { snapshot: exited('monitor', 1_900) },
    { monitor: 'down' },
  ],
  [
    'the agent died, and another one has asked for work since',
    { snapshot: exited('agent', 5_000) },
    { agent: 'ok', monitor: 'ok' },
  ],
  [
    'the agent died, and nobody asks',
    { snapshot: exited('agent', 5_000), agentAskedAt: null },
    { agent: 'degraded' },
  ],
  ['nobody takes tickets', { agentAskedAt: null }, { agent: 'degraded' }],
  ['no supervisor', { snapshot: null }, { supervisor: 'degraded', monitor: 'ok' }],
  [
    'no Temporal',
    { temporalError: 'refused' },
    { temporal: 'down', monitor: 'down', agent: 'degraded', supervisor: 'ok' },
  ],
])('%s', (_name, over, expected) => {
  const found = Object.fromEntries(judge(over).map(({ name, status }) => [name, status]));
  expect(found).toMatchObject(expected);
});

it('the reason is in the detail', () => {
  const reason = 'registry unreadable';
  const monitor = judge({ lastSweep: { outcome: 'failed', at: NOW, reason } }).find(
    ({ name }) => name === 'monitor',
  );
  expect(monitor?.detail).toBe('the checks could not run: registry unreadable');
  const agent = judge({ snapshot: exited('agent') }).find(({ name }) => name === 'agent');
  expect(agent?.detail).toBe('the process has ended (SIGKILL, 2026-01-01T00:00:59.000Z); tickets wait');
});

it.each([
  [0, '0ms'],
  [250, '250ms'],
  [2_000, '2s'],
  [1_500, '1500ms'],
])('%d ms is written %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
