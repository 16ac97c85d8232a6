import { z } from 'zod';
import type { FileChange, Snapshot } from '../../domain/known-good';
import { unifiedDiff } from '../../domain/unified-diff';
import type { EditableFile } from '../editable-files';
import { createEditConfinements, readEditableFiles } from '../editable-files';
import { changesSince, readLastGood } from '../known-good-store';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps } from './tool';
import { defineTool } from './tool';

const MAX_DIFF_LENGTH = 4_000;

/** Shows how a service's editable files differ from when it last worked with them. Changes nothing. */
export function createWhatChanged(deps: ToolDeps): Tool {
  const confinements = createEditConfinements(deps.services);
  return defineTool(
    'what_changed',
    z.strictObject({ service: z.string() }),
    async ({ service: name }, scope) => {
      const service = serviceOf(deps.services, name);
      const { edit: patterns } = service.files;
      if (patterns.length === 0) {
        return {
          content: `${name} declares no files that may be edited.`,
          data: { since: null, changed: [] },
        };
      }
      const files = await readEditableFiles(confinements.get(name), scope.signal);
      const good = await readLastGood(deps.dataDir, name, patterns);
      if (!files || !good) {
        const why = files ? 'no known-good copy is kept yet' : 'files.edit matches too many files';
        return { content: `What changed is not known: ${why}.`, data: { since: null, changed: [] } };
      }
      const changed = changesSince(good, files);
      const parts = changed.map((change) => describe(change, good, files));
      return {
        content:
          parts.length > 0
            ? [`Since ${name} last worked with its files (${good.at}):`, ...parts].join('\n\n')
            : `Nothing changed since ${name} last worked with its files (${good.at}).`,
        data: { since: good.at, changed },
      };
    },
  );
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
