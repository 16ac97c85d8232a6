import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { getExternalWorkflowHandle, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { Incident } from '../domain/incident';
import type { RegistryEvent } from '../domain/registry';
import type { SweepReport } from './contract';
import {
  MAX_NEW_INCIDENTS,
  QUEUES,
  REGISTRY_WORKFLOW_ID,
  SIGNALS,
  triageWorkflowId,
  WORKFLOWS,
} from './contract';
import { ignoringGone } from './is-gone';
import type { TriageInput } from './triage-contract';

/** One signal stays far below Temporal's 2 MB. */
const TRANSITIONS_PER_SIGNAL = 500;

/** Tells the registry, the triage and the open tickets what a sweep found. A ticket that has closed meanwhile is no error. */
export async function actOnSweep(report: SweepReport): Promise<void> {
  await tellRegistry(report);
  // Sorted by priority and age (`findIncidents`).
  const incidents = report.incidents.slice(0, MAX_NEW_INCIDENTS);
  await Promise.all([
    ...incidents.map(startTriage),
    ...report.evidence.map(({ workflowId, evidence }) =>
      signalTicket({ workflowId }, SIGNALS.evidence, evidence),
    ),
    ...report.recovered.map(({ workflowId, runId, hint }) =>
      signalTicket({ workflowId, runId }, SIGNALS.recovered, hint),
    ),
  ]);
}

async function tellRegistry({ at, transitions }: SweepReport): Promise<void> {
  const registry = getExternalWorkflowHandle(REGISTRY_WORKFLOW_ID);
  for (let from = 0; from < transitions.length; from += TRANSITIONS_PER_SIGNAL) {
    const event: RegistryEvent = {
      type: 'transitions',
      at,
      transitions: transitions.slice(from, from + TRANSITIONS_PER_SIGNAL),
    };
    await ignoringGone(() => registry.signal(SIGNALS.transitions, event));
  }
}

async function startTriage(incident: Incident): Promise<void> {
  const input: TriageInput = { incident };
  try {
    await startChild(WORKFLOWS.triageFailure, {
      workflowId: triageWorkflowId(incident),
      taskQueue: QUEUES.monitor,
      args: [input],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${incident.invariantId} is down`,
      staticDetails: (incident.check.error ?? 'the condition is false').slice(0, 2_000),
    });
  } catch (error) {
    // Triage of this incident is at work already.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** The next sweep looks at the states again, so a receiver that is gone needs nothing from us. */
async function signalTicket(
  { workflowId, runId }: { readonly workflowId: string; readonly runId?: string },
  signal: string,
  payload: unknown,
): Promise<void> {
  await ignoringGone(() => getExternalWorkflowHandle(workflowId, runId).signal(signal, payload));
}
