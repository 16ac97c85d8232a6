import { knownSecrets, probeVariables } from '../../../src/config/known-secrets';
import { INVARIANT_DEFAULTS } from '../../../src/domain/invariant';

const config = {
  invariants: [
    {
      ...INVARIANT_DEFAULTS,
      id: 'api',
      name: 'api',
      query: 'http://127.0.0.1/',
      condition: 'status == 200',
      request: {
        ...INVARIANT_DEFAULTS.request,
        headers: { 'x-door': 'Bearer ${env:DOOR}', accept: 'text/plain' },
      },
    },
  ],
};

it('a variable that a check sends goes to whoever probes', () => {
  expect(probeVariables(config)).toEqual(['DOOR']);
});

it.each([
  ['sent with a check, whatever its name', { DOOR: 'open-sesame' }, ['DOOR']],
  [
    'a name that says so',
    { ANTHROPIC_API_KEY: 'sk-ant-123456', DB_PASSWORD: 'correct-horse' },
    ['ANTHROPIC_API_KEY', 'DB_PASSWORD'],
  ],
  ['too short to be masked without mangling text', { API_TOKEN: 'abc' }, []],
  ['an ordinary variable', { HOME: '/some/where/long' }, []],
  ['unset', { API_TOKEN: undefined }, []],
])('%s', (_name, env, names) => {
  expect(knownSecrets(env, config).map((secret) => secret.name)).toEqual(names);
});
