/** Workflow and end-to-end suites start real servers; one worker at a time keeps two cores honest. */
const transform = {
  '^.+\\.(t|j)s$': [
    '@swc/jest',
    { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
  ],
};
const project = (name, extra = {}) => ({
  displayName: name,
  rootDir: __dirname,
  testEnvironment: 'node',
  testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
  transform,
  transformIgnorePatterns: ['/node_modules/(?!(nanoid|@marcbachmann/cel-js)/)'],
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/.build-'],
  ...extra,
});
module.exports = {
  projects: ['unit', 'workflow', 'replay', 'e2e', 'faults', 'crash'].map((name) => project(name)),
};
