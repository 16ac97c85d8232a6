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
