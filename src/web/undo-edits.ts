import { WorkflowFailedError } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { TemporalAccess } from '../client/temporal';
import type { ToolResult } from '../domain/tool';
import { parseUndoReport } from '../domain/undo-report';
import type { UndoInput } from '../workflows/agent-contract';
import { QUEUES, undoWorkflowId, WORKFLOWS } from '../workflows/contract';
import type { UndoAnswer } from './dependencies';
import { innermost } from './innermost';
import { Problem } from './problem';
import { hasPoller } from './temporal-health';
import { isTooLate } from './too-late';

const START_DEADLINE_MS = 5_000;
const ANSWER_DEADLINE_MS = 10_000;
type UndoEdits = (input: UndoInput) => Promise<ToolResult>;

/**
 * Has the agent put a ticket's edits back and waits a while for its answer; without one the order stands and is carried
 * out by itself. Throws a Problem: 409 when that is being done already or the tool refused, 503 when it broke off.
 */
export async function undoEdits(
  access: TemporalAccess,
  input: UndoInput,
  deadlineMs = ANSWER_DEADLINE_MS,
): Promise<UndoAnswer> {
  const handle = await order(access, input);
  const deadline = Date.now() + deadlineMs;
  let result: ToolResult;
  try {
    result = await access.connection.withDeadline(deadline, () => handle.result());
  } catch (error) {
    if (error instanceof WorkflowFailedError) {
      const detail = `The undo broke off (${innermost(error)}); some files may be put back. Ask again: what is done already is not done twice.`;
      throw new Problem(503, 'Undo broke off', detail, { retryAfterS: 5 });
    }
    if (!isTooLate(error, deadline)) throw error;
    return { kind: 'waiting', detail: await sayWhy(access, deadlineMs) };
  }
  const report = parseUndoReport(result.data);
  if (!report) throw new Problem(409, 'Not undone', result.content);
  return { kind: 'done', report };
}

async function order(access: TemporalAccess, input: UndoInput): Promise<WorkflowHandle<UndoEdits>> {
  const { ticketId } = input.ticket;
  try {
    return await access.connection.withDeadline(Date.now() + START_DEADLINE_MS, () =>
      access.client.workflow.start<UndoEdits>(WORKFLOWS.undoEdits, {
        workflowId: undoWorkflowId(ticketId),
        taskQueue: QUEUES.agent,
        args: [input],
        staticSummary: `put the edits of ticket ${ticketId} back for ${input.person.by}`,
      }),
    );
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const detail = `The edits of ticket ${ticketId} are being undone already; GET /api/v1/tickets/${ticketId} tells when it is done.`;
    throw new Problem(409, 'Is being undone already', detail);
  }
}

async function sayWhy(access: TemporalAccess, deadlineMs: number): Promise<string> {
  const waited = `within ${deadlineMs / 1_000} s`;
  return (await hasPoller(access, QUEUES.agent))
    ? `The agent did not answer ${waited}; the undo goes on by itself.`
    : `No agent took the undo ${waited}; it is done as soon as one runs ("harness run", or "harness agent").`;
}
