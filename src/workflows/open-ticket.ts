import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { SearchAttributePair } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { EvidenceBundle, Verdict } from '../domain/analyst-rules';
import type { CheckResult } from '../domain/check';
import type { Incident } from '../domain/incident';
import { evidenceSignature } from '../domain/incident';
import { NEW_TICKET, type TicketSpec } from '../domain/ticket';
import type { RemediateInput, TicketEvidence } from './contract';
import { QUEUES, SIGNALS, ticketWorkflowId, WORKFLOWS } from './contract';
import { isGone } from './is-gone';
import { ticketKeys } from './search-attributes';
import { NOTHING_SEEN, ticketMemo } from './ticket-memo';
import type { TicketRun, TriageResult } from './triage-contract';

/** A ticket may close between "already open" and our note on it; then it is our turn to open one. */
const MAX_ROUNDS = 5;

export interface Opened {
  readonly result: TriageResult;
  /** The ticket that was opened; null when none was. */
  readonly run: TicketRun | null;
}

/**
 * Opens the incident's ticket, or adds the evidence to the open one. The server allows one open run per workflow ID, so
 * however many triages race, one ticket opens.
 */
export async function openTicket(
  incident: Incident,
  evidence: EvidenceBundle,
  verdict: Verdict,
): Promise<Opened> {
  const ticket = ticketSpec(incident, evidence, verdict);
  const { reason } = verdict;
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const run = await startTicket(ticket);
    if (run) return { result: { outcome: 'ticket_opened', ticketId: ticket.id, reason }, run };
    if (await addToOpenTicket(incident, incident.invariantId)) {
      return { result: { outcome: 'evidence_added', ticketId: null, reason }, run: null };
    }
  }
  const tooFast = `${incident.invariantId} opens and closes too fast; the next sweep decides`;
  return { result: { outcome: 'rejected', ticketId: null, reason: tooFast }, run: null };
}

/** Null when one is open already. */
async function startTicket(ticket: TicketSpec): Promise<TicketRun | null> {
  const input: RemediateInput = { ticket };
  const workflowId = ticketWorkflowId(ticket.invariantId);
  try {
    const { firstExecutionRunId: runId } = await startChild(WORKFLOWS.remediateTicket, {
      workflowId,
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
    return { workflowId, runId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
    throw error;
  }
}

/** False when the ticket of that invariant has closed. */
export async function addToOpenTicket(incident: Incident, owner: string): Promise<boolean> {
  const handle = getExternalWorkflowHandle(ticketWorkflowId(owner));
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
    context: contextOf(verdict),
    priority: verdict.priority ?? incident.priority,
    suspectedCause: verdict.suspectedCause,
    confidence: verdict.confidence,
    sourceType: 'monitor',
    sourceId: incident.invariantId,
    detectedAt: incident.detectedAt,
    createdAt: new Date().toISOString(),
    joinedInvariants: incident.joined.map((check) => check.invariantId),
    evidence: evidence.items,
    firstCheck: incident.check,
    verdictBy: verdict.by ?? 'runbook',
    hypotheses: verdict.hypotheses ?? [],
    relapseOf: evidence.relapseOf ?? null,
    relapses: evidence.relapses ?? 0,
    analysisUsd: verdict.usd ?? 0,
  };
}

/** Whoever works on it should know that the analyst had seen no need. */
function contextOf({ createTicket, context, reason }: Verdict): string {
  return createTicket ? context : `The analyst wanted no ticket: ${reason}\n${context}`;
}

function searchAttributes(ticket: TicketSpec): SearchAttributePair[] {
  return [
    { key: ticketKeys.ticketId, value: ticket.id },
    { key: ticketKeys.status, value: NEW_TICKET.status },
    { key: ticketKeys.priority, value: ticket.priority },
    { key: ticketKeys.invariantId, value: ticket.invariantId },
    ...(ticket.service ? [{ key: ticketKeys.service, value: ticket.service }] : []),
    { key: ticketKeys.costUsd, value: ticket.analysisUsd ?? 0 },
    { key: ticketKeys.detectedAt, value: new Date(ticket.detectedAt) },
  ];
}
