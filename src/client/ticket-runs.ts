import { defineSearchAttributeKey } from '@temporalio/common';
import type { TicketFilter } from '../domain/ticket-view';
import { WORKFLOWS } from '../workflows/contract';
import type { TemporalAccess } from './temporal';

/** A ticket's run as visibility lists it. */
export interface TicketRun {
  readonly ticketId: string;
  readonly workflowId: string;
  readonly runId: string;
  /** RFC 3339 UTC with milliseconds. */
  readonly startedAt: string;
}

export type RunFilter = TicketFilter & {
  readonly ticketId?: string;
  /** Only runs that have ended, however they did. */
  readonly hasEnded?: boolean;
  /** Runs that another run of their ticket continues; they are left out otherwise. */
  readonly isContinued?: boolean;
};

const TICKET_ID = defineSearchAttributeKey('TicketId', 'KEYWORD');
/** More than this, and Temporal's retention is set to keep more history than a list should read. */
const MAX_RUNS = 5_000;

/** Runs that may match; the history has the last word, because visibility lags behind by up to seconds. */
export async function listRuns(access: TemporalAccess, filter: RunFilter): Promise<readonly TicketRun[]> {
  const runs: TicketRun[] = [];
  for await (const info of access.client.workflow.list({ query: visibilityQuery(filter) })) {
    const ticketId = info.typedSearchAttributes.get(TICKET_ID);
    if (ticketId === undefined) continue;
    const { workflowId, runId, startTime } = info;
    runs.push({ ticketId, workflowId, runId, startedAt: startTime.toISOString() });
    if (runs.length >= MAX_RUNS) break;
  }
  return runs;
}

/** No ORDER BY: the SQLite store of the dev server refuses it. */
export function visibilityQuery(filter: RunFilter): string {
  const parts = [
    `WorkflowType = ${quote(WORKFLOWS.remediateTicket)}`,
    `ExecutionStatus ${filter.isContinued ? '=' : '!='} 'ContinuedAsNew'`,
  ];
  if (filter.hasEnded) parts.push(`ExecutionStatus != 'Running'`);
  if (filter.ticketId !== undefined) parts.push(`TicketId = ${quote(filter.ticketId)}`);
  if (filter.invariant !== undefined) parts.push(`InvariantId = ${quote(filter.invariant)}`);
  if (filter.service !== undefined) parts.push(`ServiceName = ${quote(filter.service)}`);
  const status = statusQuery(filter.status);
  if (status !== null) parts.push(status);
  return parts.join(' AND ');
}

/** A run that an operator ended still says `in_progress` in its search attribute; the ticket is failed all the same. */
function statusQuery(status: TicketFilter['status']): string | null {
  switch (status) {
    case undefined:
      return null;
    case 'open':
    case 'pending':
    case 'in_progress':
    case 'blocked':
      return `ExecutionStatus = 'Running'`;
    case 'completed':
      return `TicketStatus = 'completed'`;
    case 'failed':
      return `(TicketStatus = 'failed' OR ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut'))`;
  }
}

/** Visibility's string literal; its own escape is a backslash. */
function quote(text: string): string {
  return `'${text.replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`;
}
