import type { TemporalAccess } from '../client/temporal';
import type { OpenTicket } from '../domain/incident';
import type { HealthTransition, RegistryEvent, RegistryState } from '../domain/registry';
import { QUERIES, REGISTRY_WORKFLOW_ID, SIGNALS, WORKFLOWS } from '../workflows/contract';

/** A check must fail while there is still time to say so. */
const CALL_LIMIT_MS = 3_000;

/** The registry as its own workflow has it; unlike a fold of its history this cannot be behind. */
export async function queryRegistry(access: TemporalAccess): Promise<RegistryState> {
  const handle = access.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
  return await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
    handle.query<RegistryState>(QUERIES.registryState),
  );
}

export async function signalTransitions(
  access: TemporalAccess,
  at: string,
  transitions: readonly HealthTransition[],
): Promise<void> {
  const event: RegistryEvent = { type: 'transitions', at, transitions };
  const handle = access.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
  await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
    handle.signal(SIGNALS.transitions, event),
  );
}

/** Tickets that are open, as visibility lists them; it may be behind by a second. */
export async function listOpenTickets(access: TemporalAccess): Promise<readonly OpenTicket[]> {
  const query = `WorkflowType = "${WORKFLOWS.remediateTicket}" AND ExecutionStatus = "Running"`;
  return await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, async () => {
    const tickets: OpenTicket[] = [];
    for await (const execution of access.client.workflow.list({ query })) {
      const keyword = (name: string): string | null => firstText(execution.searchAttributes[name]);
      tickets.push({
        invariantId: keyword('InvariantId') ?? execution.workflowId,
        service: keyword('ServiceName'),
        ticketId: keyword('TicketId') ?? '',
        runId: execution.runId,
        status: keyword('TicketStatus') ?? '',
        failure: firstText(execution.memo?.['failure']),
        joinedInvariants: texts(execution.memo?.['joined_invariants']),
      });
    }
    return tickets;
  });
}

/** Workflow IDs of the triages at work, as visibility lists them. */
export async function listOpenTriages(access: TemporalAccess): Promise<ReadonlySet<string>> {
  const query = `WorkflowType = "${WORKFLOWS.triageFailure}" AND ExecutionStatus = "Running"`;
  return await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, async () => {
    const ids = new Set<string>();
    for await (const { workflowId } of access.client.workflow.list({ query })) {
      ids.add(workflowId);
    }
    return ids;
  });
}

function firstText(value: unknown): string | null {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first : null;
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
