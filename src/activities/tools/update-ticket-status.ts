import { z } from 'zod';
import { defineTool } from './tool';

const input = z.strictObject({
  status: z.enum(['completed', 'blocked']),
  reason: z.string().trim().min(1).max(2_000),
  report: z.string().trim().max(8_000).optional(),
});

const ANSWERS = {
  completed:
    'Proposed as completed. An independent check verifies it now; the ticket closes only if the invariant holds, otherwise you are told what still fails.',
  blocked: 'The ticket is handed to a person with your reason and report.',
} as const;

/** A proposal of the brain; the workflow verifies and applies it. */
export const updateTicketStatus = defineTool('update_ticket_status', input, ({ status, reason, report }) =>
  Promise.resolve({ content: ANSWERS[status], data: { status, reason, report: report ?? null } }),
);
