import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { ToolResult } from '../domain/tool';
import type { UndoInput } from './agent-contract';
import type { NoteInput } from './contract';
import { SIGNALS } from './contract';
import { ignoringGone } from './is-gone';
import { actingTools } from './proxies';

/**
 * Takes a ticket's file edits back for a person, also long after it closed. Waits for an agent as long as it takes; the
 * edit journal keeps who ordered it, so the ticket can tell of it afterwards. What was not done is told on the ticket while
 * that is open: who ordered it may be gone by then.
 */
export async function UndoEdits({ ticket, person }: UndoInput): Promise<ToolResult> {
  const call = { id: 'undo_by_person', name: 'undo_edits', input: {} };
  const result = await actingTools.undo_edits.executeWithOptions(
    { summary: `put the edits of ${ticket.ticketId} back` },
    [{ ticket, call, person }],
  );
  if (result.isError) await tellTicket({ ticket, person }, result.content);
  return result;
}

/** Its workflow may be another ticket's by now, so the note names the ticket. */
async function tellTicket({ ticket, person }: UndoInput, why: string): Promise<void> {
  const at = new Date().toISOString();
  const note: NoteInput = {
    at,
    by: 'harness',
    text: `${person.by} asked for the edits of ticket ${ticket.ticketId} to be undone; not all of it was done: ${why}`,
    signature: `undo ${at}`,
  };
  await ignoringGone(() => getExternalWorkflowHandle(ticket.invariantId).signal(SIGNALS.note, note));
}
