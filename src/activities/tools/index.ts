import type { ToolActivities } from '../../workflows/agent-contract';
import { createFingerprint } from '../fingerprint';
import { addTicketNote } from './add-ticket-note';
import { createConfinement } from './confined-path';
import { createEditFile } from './edit-file';
import { createOpenEdit } from './open-edit';
import { createInspectService } from './inspect-service';
import { createListFiles } from './list-files';
import { createQueryLogs } from './query-logs';
import { createQueryMetrics } from './query-metrics';
import { createReadFile } from './read-file';
import { rechecked } from './recheck';
import { createRestoreFile } from './restore-file';
import { createRunCommand } from './run-command';
import { createSearchCode } from './search-code';
import { createServiceControl } from './service-control';
import type { ToolDeps } from './tool';
import { toActivity } from './tool';
import { createUndoEdits } from './undo-edits';
import { createUpdateTicketStatus } from './update-ticket-status';
import { createWhatChanged } from './what-changed';

/** Makes the agent's tools. Roots of the readable files are resolved now, once: see `createConfinement`. */
export function createToolActivities(deps: ToolDeps): ToolActivities {
  const confinements = new Map(deps.services.map((service) => [service.name, createConfinement(service)]));
  const openEdit = createOpenEdit(deps);
  const takeFingerprint = createFingerprint(deps.services, deps.lookAtPorts);
  return {
    inspect_service: toActivity(createInspectService(deps), deps),
    service_control: toActivity(rechecked(deps, createServiceControl(deps)), deps),
    what_changed: toActivity(createWhatChanged(deps), deps),
    edit_file: toActivity(rechecked(deps, createEditFile(openEdit)), deps),
    restore_file: toActivity(rechecked(deps, createRestoreFile(deps, openEdit)), deps),
    undo_edits: toActivity(createUndoEdits(deps, openEdit), deps),
    read_file: toActivity(createReadFile(confinements), deps),
    list_files: toActivity(createListFiles(confinements), deps),
    search_code: toActivity(createSearchCode(confinements), deps),
    query_logs: toActivity(createQueryLogs(deps), deps),
    query_metrics: toActivity(createQueryMetrics(deps), deps),
    run_command: toActivity(createRunCommand(deps), deps),
    add_ticket_note: toActivity(addTicketNote, deps),
    update_ticket_status: toActivity(createUpdateTicketStatus(deps, takeFingerprint), deps),
  };
}
