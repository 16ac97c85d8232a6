import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformFileSync } from '@swc/core';

const ROOT = join(__dirname, '../..');

/**
 * The named folders of `src` as plain JavaScript, for processes that a test starts and kills: always as fresh as the
 * source, whatever `dist` holds. Inside the project, so that packages resolve.
 */
export function compileSource(folders: readonly string[]): { readonly dir: string; remove(): void } {
  const dir = mkdtempSync(join(ROOT, '.build-test-'));
  for (const folder of folders) {
    const source = join(ROOT, 'src', folder);
    for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts')) continue;
      const { code } = transformFileSync(join(source, name), {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
      });
      const target = join(dir, folder, name.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, code);
    }
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}
