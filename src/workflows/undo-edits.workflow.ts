import type { ToolResult } from '../domain/tool';
import type { UndoInput } from './agent-contract';
import { actingTools } from './proxies';

/**
 * Takes a ticket's file edits back for a person, also long after it closed. Waits for an agent as long as it takes; the
 * edit journal keeps who ordered it, so the ticket can tell of it afterwards.
 */
export async function UndoEdits({ ticket, person }: UndoInput): Promise<ToolResult> {
  const call = { id: 'undo_by_person', name: 'undo_edits', input: {} };
  return await actingTools.undo_edits.executeWithOptions(
    { summary: `put the edits of ${ticket.ticketId} back` },
    [{ ticket, call, person }],
  );
}
