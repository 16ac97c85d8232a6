import type { ServiceConfig } from '../config/config';
import type { FileChange, Snapshot } from '../domain/known-good';
import { unifiedDiff } from '../domain/unified-diff';
import type { EditableFile } from './editable-files';
import { readEditableFiles } from './editable-files';
import { changesSince, readLastGood } from './known-good-store';
import type { Confinement } from './tools/confined-path';

const MAX_DIFF_LENGTH = 4_000;

export type Changes =
  | {
      /** When the files were last known to be good, RFC 3339. */
      readonly since: string;
      readonly changed: readonly FileChange[];
      /** One text per change, with its diff. */
      readonly parts: readonly string[];
    }
  | { readonly since: null; readonly why: string };

/** How a service's editable files differ from when it last worked with them. */
export async function describeChanges(
  dataDir: string,
  { name, files: { edit } }: Pick<ServiceConfig, 'name' | 'files'>,
  confinement: Confinement | undefined,
  signal: AbortSignal,
): Promise<Changes> {
  const files = await readEditableFiles(confinement, signal);
  const good = await readLastGood(dataDir, name, edit);
  if (!files) return { since: null, why: 'files.edit matches too many files' };
  if (!good) return { since: null, why: 'no known-good copy is kept yet' };
  const changed = changesSince(good, files);
  return { since: good.at, changed, parts: changed.map((change) => describe(change, good, files)) };
}

function describe({ path, change }: FileChange, good: Snapshot, files: readonly EditableFile[]): string {
  const now = files.find((file) => file.path === path);
  const written =
    now && Number.isFinite(now.writtenAtMs) ? `, ${new Date(now.writtenAtMs).toISOString()}` : '';
  const title = `${path} (${change}${change === 'removed' ? ', at the latest' : ''}${written})`;
  if (change === 'unreadable') return `${title}: no text file of at most 256 KiB any more`;
  const before = good.files.find((file) => file.path === path)?.content ?? '';
  const diff = unifiedDiff(before, now?.bytes?.toString('utf8') ?? '');
  const shown = diff.length > MAX_DIFF_LENGTH ? `${diff.slice(0, MAX_DIFF_LENGTH)}\n[... cut]` : diff;
  return `${title}\n${shown}`;
}
