import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { EvidenceBundle, Verdict } from '../domain/analyst-rules';
import type { CheckResult } from '../domain/check';
import type { Incident } from '../domain/incident';
import { NEW_TICKET, type TicketSpec } from '../domain/ticket';
import type { RemediateInput, TicketEvidence, TriageResult } from './contract';
import { evidenceSignature, QUEUES, SIGNALS, ticketWorkflowId, WORKFLOWS } from './contract';
import { isGone } from './is-gone';
import { ticketKeys } from './search-attributes';
import { NOTHING_SEEN, ticketMemo } from './ticket-memo';

/** A ticket may close between "already open" and our note on it; then it is our turn to open one. */
const MAX_ROUNDS = 5;

/**
 * Opens the incident's ticket, or adds the evidence to the open one. The server allows one open run per workflow ID, so
 * however many triages race, one ticket opens.
 */
export async function openTicket(
  incident: Incident,
  evidence: EvidenceBundle,
  verdict: Verdict,
): Promise<TriageResult> {
  const ticket = ticketSpec(incident, evidence, verdict);
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    if (await startTicket(ticket))
      return { outcome: 'ticket_opened', ticketId: ticket.id, reason: verdict.reason };
    if (await addToOpenTicket(incident))
      return { outcome: 'evidence_added', ticketId: null, reason: verdict.reason };
  }
  return {
    outcome: 'rejected',
    ticketId: null,
    reason: `${incident.invariantId} opens and closes too fast; the next sweep decides`,
  };
}

async function startTicket(ticket: TicketSpec): Promise<boolean> {
  const input: RemediateInput = { ticket };
  try {
    await startChild(WORKFLOWS.remediateTicket, {
      workflowId: ticketWorkflowId(ticket.invariantId),
      taskQueue: QUEUES.agent,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      typedSearchAttributes: searchAttributes(ticket),
      memo: { ...ticketMemo(ticket, NEW_TICKET, ticket.joinedInvariants, NOTHING_SEEN) },
      staticSummary: ticket.objective.slice(0, 200),
      staticDetails:
        `**Suspected cause:** ${ticket.suspectedCause}\n\n**Done when:** ${ticket.successCriteria}`.slice(
          0,
          2_000,
        ),
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

async function addToOpenTicket(incident: Incident): Promise<boolean> {
  const handle = getExternalWorkflowHandle(ticketWorkflowId(incident.invariantId));
  try {
    for (const check of [incident.check, ...incident.joined]) {
      await handle.signal<[TicketEvidence]>(SIGNALS.evidence, toEvidence(check));
    }
    return true;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
}

function toEvidence(check: CheckResult): TicketEvidence {
  return { signature: evidenceSignature(check), check };
}

function ticketSpec(incident: Incident, evidence: EvidenceBundle, verdict: Verdict): TicketSpec {
  return {
    id: evidence.ticketId,
    invariantId: incident.invariantId,
    service: incident.service,
    objective: verdict.objective,
    successCriteria: verdict.successCriteria,
    context: verdict.context,
    priority: incident.priority,
    suspectedCause: verdict.suspectedCause,
    confidence: verdict.confidence,
    sourceType: 'monitor',
    sourceId: incident.invariantId,
    detectedAt: incident.detectedAt,
    createdAt: new Date().toISOString(),
    joinedInvariants: incident.joined.map((check) => check.invariantId),
    evidence: evidence.items,
    firstCheck: incident.check,
    relapseOf: evidence.relapseOf ?? null,
    relapses: evidence.relapses ?? 0,
  };
}

function searchAttributes(ticket: TicketSpec): SearchAttributePair[] {
  return [
    { key: ticketKeys.ticketId, value: ticket.id },
    { key: ticketKeys.status, value: NEW_TICKET.status },
    { key: ticketKeys.priority, value: ticket.priority },
    { key: ticketKeys.invariantId, value: ticket.invariantId },
    ...(ticket.service ? [{ key: ticketKeys.service, value: ticket.service }] : []),
    { key: ticketKeys.costUsd, value: 0 },
    { key: ticketKeys.detectedAt, value: new Date(ticket.detectedAt) },
  ];
}
