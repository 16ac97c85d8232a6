import { z } from 'zod';
import { describeChanges } from '../describe-changes';
import { createEditConfinements } from '../editable-files';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps } from './tool';
import { defineTool } from './tool';

/** Shows how a service's editable files differ from when it last worked with them. Changes nothing. */
export function createWhatChanged(deps: ToolDeps): Tool {
  const confinements = createEditConfinements(deps.services);
  return defineTool(
    'what_changed',
    z.strictObject({ service: z.string() }),
    async ({ service: name }, scope) => {
      const service = serviceOf(deps.services, name);
      const nothing = { since: null, changed: [] };
      if (service.files.edit.length === 0) {
        return { content: `${name} declares no files that may be edited.`, data: nothing };
      }
      const changes = await describeChanges(deps.dataDir, service, confinements.get(name), scope.signal);
      if (changes.since === null) {
        return { content: `What changed is not known: ${changes.why}.`, data: nothing };
      }
      const { since, changed, parts } = changes;
      return {
        content:
          parts.length > 0
            ? [`Since ${name} last worked with its files (${since}):`, ...parts].join('\n\n')
            : `Nothing changed since ${name} last worked with its files (${since}).`,
        data: { since, changed },
      };
    },
  );
}
