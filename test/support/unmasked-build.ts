import { appendFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/**
 * A copy of the built product that masks nothing: what a search for secrets must find there shows that the search can find
 * them. Inside the project, so that packages resolve.
 */
export function buildUnmasked(): { readonly cli: string; remove(): void } {
  const folder = mkdtempSync(join(ROOT, '.build-unmasked-'));
  for (const name of ['dist', 'package.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  const redaction = join(folder, 'dist/domain/redaction.js');
  appendFileSync(redaction, '\nexports.createRedactor = () => (text) => text;\n');
  return {
    cli: join(folder, 'dist/cli/main.js'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
