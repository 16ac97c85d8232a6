import type { ServiceConfig } from '../../config/config';
import type { EditTool } from '../../domain/edit-journal';
import { openEditJournal } from '../edit-journal-file';
import { createEditConfinements } from '../editable-files';
import type { Edit } from './edit-once';
import { serviceOf } from './service-of';
import type { ToolDeps, ToolScope } from './tool';
import { REFUSED, ToolProblem } from './tool-result';

/** What every editing tool needs for one call. Made once: the roots are resolved when the agent starts. */
export type OpenEdit = (tool: EditTool, scope: ToolScope) => Edit & { readonly service: ServiceConfig };

export function createOpenEdit(deps: ToolDeps): OpenEdit {
  const confinements = createEditConfinements(deps.services);
  return (tool, { ticket, operationId, person }) => {
    const service = serviceOf(deps.services, ticket.service);
    const confinement = confinements.get(service.name);
    if (!confinement) throw new ToolProblem(`${service.name} declares no editable files.`, REFUSED);
    return {
      service,
      confinement,
      journal: openEditJournal(deps.dataDir, service.name),
      operation: operationId,
      ticket: ticket.ticketId,
      tool,
      person,
      now: deps.now,
    };
  };
}
