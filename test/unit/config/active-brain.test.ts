import { activeBrain, requireBrains } from '../../../src/config/active-brain';
import { ConfigError } from '../../../src/config/config';
import { loadConfig } from '../../../src/config/load-config';

const KEY = { ANTHROPIC_API_KEY: 'sk-ant-12345678' };

function active(brain: 'auto' | 'claude' | 'runbook' | 'runbook-first', env: Record<string, string>) {
  const config = loadConfig({ env, cwd: '/' });
  return { agent: { ...config.agent, brain }, claude: config.claude };
}

test.each([
  ['auto', {}, ['runbook'], 'ANTHROPIC_API_KEY is not set'],
  ['auto', KEY, ['claude', 'runbook'], 'ANTHROPIC_API_KEY is set: claude-opus-5-5 at api.anthropic.com'],
  ['claude', KEY, ['claude', 'runbook'], 'agent.brain is "claude": claude-opus-5-5 at'],
  ['runbook', KEY, ['runbook'], 'agent.brain is "runbook"'],
  ['runbook-first', KEY, ['runbook', 'claude'], 'agent.brain is "runbook-first": claude-opus-5-5 at'],
] as const)('brain %s with %j: %j act and the reason is said', (brain, env, brains, why) => {
  const config = active(brain, env);
  expect(activeBrain(config)).toEqual({
    brains,
    why: expect.stringContaining(why) as string,
    problem: null,
  });
  expect(requireBrains(config)).toEqual(brains);
});

test.each(['claude', 'runbook-first'] as const)(
  'brain %s without a key is an error with the way out',
  (brain) => {
    expect(() => requireBrains(active(brain, {}))).toThrow(
      new ConfigError(
        `agent.brain is "${brain}" and ANTHROPIC_API_KEY is not set; set it, or set agent.brain to auto or runbook`,
      ),
    );
  },
);

test.each([
  [
    { ANTHROPIC_API_KEY: 'a secret key' },
    'ANTHROPIC_API_KEY: expected a key of printable ASCII without spaces',
  ],
  [{ ANTHROPIC_BASE_URL: 'localhost:11434' }, 'ANTHROPIC_BASE_URL: expected a URL with http:// or https://'],
])('%j is refused, and a key is not shown', (env, message) => {
  expect(() => loadConfig({ env, cwd: '/' })).toThrow(message);
  expect(() => loadConfig({ env, cwd: '/' })).not.toThrow('a secret key');
});

test('an empty key is none, an empty address is the usual one, white space around a key is not part of it', () => {
  const load = (env: Record<string, string>) => loadConfig({ env, cwd: '/' }).claude;
  expect(load({ ANTHROPIC_API_KEY: '', ANTHROPIC_BASE_URL: '' })).toEqual({
    baseUrl: 'https://api.anthropic.com',
  });
  expect(load({ ANTHROPIC_API_KEY: ' key\n' }).apiKey).toBe('key');
});
