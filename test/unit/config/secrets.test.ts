import { activeBrain } from '../../../src/config/active-brain';
import { baseEnvironment, inheritedEnvironment, readEnvironment } from '../../../src/config/environment';
import { resolveSecrets } from '../../../src/config/secrets';

test('every reference is replaced, other text stays', () => {
  expect(resolveSecrets('${env:A}-${env:B}-${A}', { A: '1', B: '$&' })).toBe('1-$&-${A}');
});

test.each([{}, { NAME: '' }, { NAME: undefined }])(
  'an unset name is an error that says what to set',
  (env) => {
    expect(() => resolveSecrets('Bearer ${env:NAME}', env)).toThrow(
      '${env:NAME} needs the environment variable NAME, which is not set; set it',
    );
  },
);

test('a child inherits what is named and set, nothing else', () => {
  const { PATH } = readEnvironment();
  expect(inheritedEnvironment(['PATH', 'NO_SUCH_VARIABLE_HERE'])).toEqual({ PATH });
  expect(Object.keys(baseEnvironment()).filter((key) => !['PATH', 'HOME', 'LANG'].includes(key))).toEqual([]);
});

test.each([
  ['auto', 'the Claude brain is not available yet'],
  ['runbook', 'agent.brain is "runbook"'],
] as const)('brain %s: the runbook acts and the reason is said', (brain, why) => {
  const active = activeBrain({ agent: { brain, retryAfterMs: 1, turns: 1 } });
  expect(active).toEqual({ brain: 'runbook', why: expect.stringContaining(why) as string });
});
