import eslint from '@eslint/js';
import importX from 'eslint-plugin-import-x';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/** Libraries a pure rule may use: they do no I/O. */
const PURE_LIBRARIES = ['@marcbachmann/cel-js', 'zod'];

/** Every name and type that crosses a process; a regular expression. */
const CONTRACTS = 'workflows/(agent-)?contract';
/** What each process folder may import of our own code (docs/decisions/0002-folders-are-processes.md). */
const FOLDERS = {
  domain: ['domain'],
  workflows: ['domain', 'workflows'],
  config: ['domain', 'config'],
  client: ['domain', CONTRACTS, 'config', 'client'],
  activities: ['domain', CONTRACTS, 'config', 'client', 'activities'],
  workers: ['domain', 'workflows', 'config', 'client', 'activities', 'workers'],
  service: ['service'],
  web: ['domain', CONTRACTS, 'config', 'client', 'web'],
  supervisor: ['domain', CONTRACTS, 'config', 'client', 'supervisor'],
  cli: ['domain', 'config', 'client', 'supervisor', 'web', 'workers', 'cli'],
};

const escape = (text) => text.replace(/[/.]/g, '\\$&');

function boundary(folder, allowed) {
  const own = Object.keys(FOLDERS).filter((name) => name !== folder);
  const forbidden = own.filter(
    (name) => !allowed.some((path) => path === name || path.startsWith(`${name}/`)),
  );
  const patterns = [];
  if (forbidden.length > 0) {
    patterns.push({
      regex: `^(\\.\\./)+(${forbidden.join('|')})(/|$)`,
      message: `src/${folder} may import only: ${allowed.join(', ')}.`,
    });
  }
  for (const path of allowed.filter((name) => name.includes('/'))) {
    const [top] = path.split('/');
    patterns.push({
      regex: `^(\\.\\./)+${top}/(?!${escape(path.slice(top.length + 1))}$)`,
      message: `src/${folder} may import only ${path} of ${top}.`,
    });
  }
  if (folder === 'domain') {
    patterns.push({
      regex: `^(?!\\.)(?!(${PURE_LIBRARIES.map(escape).join('|')})$)`,
      message: 'src/domain is pure: only the listed I/O-free libraries.',
    });
  }
  if (folder === 'workflows') {
    patterns.push({
      regex: '^(?!\\.)(?!@temporalio/(workflow|common)$)',
      message: 'Workflows run in the Temporal sandbox: @temporalio/workflow and @temporalio/common only.',
    });
    patterns.push({
      regex:
        '^\\.\\./domain/(condition|inspection|runbook|runbook-memory|runbook-restore|known-good|edit-journal|verdict-schema|model-verdict)$',
      message: 'This file needs a library; use it in an activity.',
    });
  }
  return {
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  };
}

export default tseslint.config(
  {
    ignores: [
      'dist/**',
      'node_modules/**',
      '.build-*/**',
      'coverage/**',
      'data/**',
      'test/replay/histories/**',
    ],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: { 'import-x/resolver-next': [createTypeScriptImportResolver({ project: './tsconfig.json' })] },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
      'max-lines': ['error', { max: 300 }],
      'no-restricted-syntax': [
        'error',
        {
          selector: "TSAsExpression > TSAsExpression[typeAnnotation.type='TSUnknownKeyword']",
          message: 'Narrow with a parser instead of "as unknown as".',
        },
      ],
    },
  },
  ...Object.entries(FOLDERS).map(([folder, allowed]) => boundary(folder, allowed)),
  {
    files: ['src/**/*.ts'],
    ignores: ['src/config/**', 'src/service/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'src/config is the only reader of the environment.' },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'max-lines': ['error', { max: 500 }],
      // Answers of the API are JSON and asserted field by field: what is not there makes the test fail.
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-explicit-any': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        setTimeout: 'readonly',
        setInterval: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        AbortController: 'readonly',
        performance: 'readonly',
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
      },
    },
  },
);
