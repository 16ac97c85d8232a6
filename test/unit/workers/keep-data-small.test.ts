import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { paths } from '../../../src/config/paths';
import { createPruning, keepDataSmall } from '../../../src/workers/keep-data-small';
import { makeTempDirs } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();

function prepare(openTickets = () => Promise.resolve<ReadonlySet<string>>(new Set())) {
  const dataDir = makeTempDir();
  const warnings: string[] = [];
  const log = { warn: (_context: object, text?: string) => void warnings.push(text ?? '') };
  const isOnServer = (): Promise<boolean> => Promise.resolve(false);
  const now = (): Date => new Date(Date.now() + 86_400_000);
  const orphan = join(paths.edits(dataDir, 'api'), 'a'.repeat(64));
  const addOrphan = (): void => {
    mkdirSync(paths.edits(dataDir, 'api'), { recursive: true });
    writeFileSync(orphan, 'named by nothing');
  };
  return { dataDir, warnings, orphan, addOrphan, deps: { dataDir, openTickets, isOnServer, now, log } };
}

it('what cannot be pruned is said once and again after it worked; the rest is pruned all the same', async () => {
  const { dataDir, warnings, orphan, addOrphan, deps } = prepare();
  const prune = createPruning(deps);
  writeFileSync(paths.outputs(dataDir), 'a file where the folder should be');
  addOrphan();
  await prune();
  await prune();
  expect(warnings).toEqual(['stored output could not be pruned']);
  expect(existsSync(orphan)).toBe(false);
  rmSync(paths.outputs(dataDir));
  await prune();
  writeFileSync(paths.outputs(dataDir), 'once more');
  await prune();
  expect(warnings).toHaveLength(2);
});

it('open tickets are not known: no edit is forgotten', async () => {
  const { warnings, orphan, addOrphan, deps } = prepare(() => Promise.reject(new Error('Temporal is down')));
  addOrphan();
  await createPruning(deps)();
  expect(warnings).toEqual(['the edit journals could not be pruned']);
  expect(existsSync(orphan)).toBe(true);
});

it('prunes at once and ends when it is told to', async () => {
  const stop = new AbortController();
  const { orphan, addOrphan, deps } = prepare(() => {
    stop.abort();
    return Promise.resolve(new Set());
  });
  addOrphan();
  await keepDataSmall(deps, stop.signal);
  expect(existsSync(orphan)).toBe(false);
});
