import { defineSearchAttributeKey } from '@temporalio/common';
import type { TemporalAccess } from '../client/temporal';
import type { ClosedTicket } from '../domain/earlier-tickets';
import type { OpenTicket } from '../domain/incident';
import type { HealthTransition, RegistryEvent, RegistryState } from '../domain/registry';
import { QUERIES, REGISTRY_WORKFLOW_ID, SIGNALS, WORKFLOWS } from '../workflows/contract';
import type { RegistryNews } from '../workflows/contract';

const RESOLUTION = defineSearchAttributeKey('TicketResolution', 'KEYWORD');
const DETECTED_AT = defineSearchAttributeKey('DetectedAt', 'DATETIME');
/** A check must fail while there is still time to say so. */
const CALL_LIMIT_MS = 3_000;

/**
 * Reads the registry as its own workflow has it; unlike a fold of its history this cannot be behind. What has not changed is
 * not sent again.
 */
export function createRegistryQuery(access: TemporalAccess): () => Promise<RegistryState> {
  const handle = access.client.workflow.getHandle(REGISTRY_WORKFLOW_ID);
  let known: { readonly version: string; readonly state: RegistryState } | null = null;
  return async () => {
    const asked = known;
    const { version, state } = await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, () =>
      handle.query<RegistryNews, [string | null]>(QUERIES.registryNews, asked?.version ?? null),
    );
    const current = state ?? asked?.state;
    if (!current) throw new Error('the registry did not answer with its state');
    known = { version, state: current };
    return current;
  };
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
        fingerprint: firstText(execution.memo?.['fingerprint']),
        joinedInvariants: texts(execution.memo?.['joined_invariants']),
      });
    }
    return tickets;
  });
}

/**
 * How the tickets of a service that opened since then ended, as visibility lists them: no history is read, because the ticket
 * of the failure that is going on waits for the answer.
 */
export async function listClosedTickets(
  access: TemporalAccess,
  service: string,
  since: string,
): Promise<readonly ClosedTicket[]> {
  const query = [
    `WorkflowType = "${WORKFLOWS.remediateTicket}"`,
    `ServiceName = "${service}"`,
    `StartTime > "${since}"`,
    `ExecutionStatus = "Completed"`,
  ].join(' AND ');
  return await access.client.withDeadline(Date.now() + CALL_LIMIT_MS, async () => {
    const tickets: ClosedTicket[] = [];
    for await (const { typedSearchAttributes, closeTime } of access.client.workflow.list({ query })) {
      const resolution = typedSearchAttributes.get(RESOLUTION);
      const detectedAt = typedSearchAttributes.get(DETECTED_AT);
      if (!resolution || !detectedAt || !closeTime) continue;
      tickets.push({ resolution, detectedAt: detectedAt.toISOString(), closedAt: closeTime.toISOString() });
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
