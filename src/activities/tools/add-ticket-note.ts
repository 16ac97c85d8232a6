import { z } from 'zod';
import { defineTool } from './tool';

const input = z.strictObject({ text: z.string().trim().min(1).max(2_000) });

/** A note for people; the workflow puts it on the ticket. */
export const addTicketNote = defineTool('add_ticket_note', input, ({ text }) =>
  Promise.resolve({ content: 'Noted on the ticket.', data: { text } }),
);
