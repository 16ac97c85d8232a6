export { AskAnalyst } from './ask-analyst.workflow';
export { CheckNow } from './check-now.workflow';
export { InvariantRegistry } from './invariant-registry.workflow';
export { Monitor } from './monitor.workflow';
export { RemediateTicket } from './remediate-ticket.workflow';
export { TriageFailure } from './triage-failure.workflow';
export { UndoEdits } from './undo-edits.workflow';
