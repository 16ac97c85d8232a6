import { knownSecrets, probeVariables, serviceVariables } from '../../../src/config/known-secrets';
import { INVARIANT_DEFAULTS } from '../../../src/domain/invariant';
import { makeService } from '../../support/tool-deps';

const SERVICE = makeService('/srv');
const config = {
  services: [],
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

const services = [
  {
    env: {
      PORT: '8001',
      DB_PASSWORD: 'correct-horse',
      API_TOKEN: 'abc',
      DSN: 'postgres://${env:PG_LOGIN}@db',
    },
  },
].map(({ env }) => ({ ...SERVICE, env }));

it('what services get is masked: references, and values under a name that says so', () => {
  expect(serviceVariables({ services })).toEqual(['PG_LOGIN']);
  const found = knownSecrets({ PG_LOGIN: 'shop:opensesame', HOME: '/some/where' }, { ...config, services });
  expect(found).toEqual([
    { name: 'DB_PASSWORD', value: 'correct-horse' },
    { name: 'PG_LOGIN', value: 'shop:opensesame' },
  ]);
});

it.each<[string, Record<string, string>, Record<string, string>, readonly string[]]>([
  [
    'a name that only begins like one',
    { AUTH_MODE: 'production', KEYCLOAK_URL: 'https://login.example' },
    {},
    [],
  ],
  ['the path of a key', { TLS_KEY: '/etc/ssl/shop.pem' }, {}, []],
  ['an ordinary word from the environment', { STAGE: '${env:STAGE}' }, { STAGE: 'production' }, []],
  [
    'a word under a name that says so',
    { DB_PASS: '${env:WORD}' },
    { WORD: 'opensesame' },
    ['opensesame', 'opensesame'],
  ],
  [
    'a part of a value',
    { API_TOKEN: 'fixed-${env:PART}' },
    { PART: 'a-moving-part' },
    ['fixed-a-moving-part', 'a-moving-part'],
  ],
  ['a part that is not known here', { API_TOKEN: 'fixed-${env:PART}' }, {}, []],
])('of what services are given, %s', (_name, given, env, values) => {
  const found = knownSecrets(env, { ...config, services: [{ env: given }] });
  expect(found.map(({ value }) => value)).toEqual(values);
});

it('what changes how processes run is not handed on', () => {
  const env = {
    A: '${env:NODE_OPTIONS}',
    B: '${env:HARNESS_DATA_DIR}',
    C: '${env:TEMPORAL_API_KEY}',
    D: '${env:SHOP}',
  };
  expect(serviceVariables({ services: [{ env }] })).toEqual(['SHOP']);
});

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
