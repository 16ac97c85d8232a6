import type { ServiceConfig } from '../../config/config';
import type { EditTool } from '../../domain/edit-journal';
import { openEditJournal } from '../edit-journal-file';
import { createEditConfinement } from '../editable-files';
import type { Confinement } from './confined-path';
import type { Edit } from './edit-once';
import { serviceOf } from './service-of';
import type { ToolDeps, ToolScope } from './tool';

/** What every editing tool needs for one call. Made once: the roots are resolved when the agent starts. */
export type OpenEdit = (tool: EditTool, scope: ToolScope) => Edit & { readonly service: ServiceConfig };

export function createOpenEdit(deps: ToolDeps): OpenEdit {
  const confinements = new Map<string, Confinement>(
    deps.services.map((service) => [service.name, createEditConfinement(service)]),
  );
  return (tool, { ticket, operationId }) => {
    const service = serviceOf(deps.services, ticket.service);
    return {
      service,
      confinement: confinements.get(service.name) ?? createEditConfinement(service),
      journal: openEditJournal(deps.dataDir, service.name),
      operation: operationId,
      ticket: ticket.ticketId,
      tool,
      now: deps.now,
    };
  };
}
