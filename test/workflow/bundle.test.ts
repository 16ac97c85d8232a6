import { readFileSync } from 'node:fs';
import { WORKFLOWS } from '../../src/workflows/contract';
import { workflowBundle } from '../support/workflow-environment';

/** Text that only a bundled library carries; the bundler itself accepts all of these silently. */
const LIBRARY_MARKS = [
  'ZodError',
  'cel-js',
  '@anthropic-ai',
  'pino',
  'undici',
  'nanoid',
  'node:fs',
  '@temporalio/client',
];
const MAX_BYTES = 2_000_000;

let code: string;

beforeAll(async () => {
  code = readFileSync((await workflowBundle()).codePath, 'utf8').replace(/\/\/# sourceMappingURL=.*/s, '');
}, 60_000);

it('holds every workflow', () => {
  for (const name of Object.values(WORKFLOWS)) expect(code).toContain(`function ${name}(`);
});

it.each(LIBRARY_MARKS)('carries nothing of %s', (mark) => {
  expect(code).not.toContain(mark);
});

it(`stays below ${MAX_BYTES / 1_000_000} MB`, () => {
  expect(code.length).toBeLessThan(MAX_BYTES);
});
