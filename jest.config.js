/**
 * Suites with real servers wait more than they work: two run side by side. A crash must land at a step of its ticket, so the
 * crash suite has the machine to itself. Workers are replaced as they grow: every test file leaves hooks on promises behind.
 */
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
  workerIdleMemoryLimit: '512MB',
  projects: ['unit', 'workflow', 'replay', 'e2e', 'faults', 'crash'].map((name) => project(name)),
};
