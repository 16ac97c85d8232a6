import { z } from 'zod';
import type { TakeFingerprint } from '../fingerprint';
import type { Tool, ToolDeps, ToolScope } from './tool';
import { defineTool, untilAborted } from './tool';

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

/**
 * A proposal of the brain; the workflow verifies and applies it. With `blocked` goes how the service was left, so that
 * somebody's repair is noticed.
 */
export function createUpdateTicketStatus(deps: ToolDeps, takeFingerprint: TakeFingerprint): Tool {
  return defineTool('update_ticket_status', input, async ({ status, reason, report }, scope) => {
    const fingerprint = status === 'blocked' ? await fingerprintNow(deps, takeFingerprint, scope) : null;
    return { content: ANSWERS[status], data: { status, reason, report: report ?? null, fingerprint } };
  });
}

/** Asking a person must not fail because something cannot be looked at. */
async function fingerprintNow(
  deps: ToolDeps,
  takeFingerprint: TakeFingerprint,
  { ticket, signal }: ToolScope,
): Promise<string | null> {
  if (ticket.service === null) return null;
  try {
    const snapshot = await untilAborted(
      deps.control.snapshot().catch(() => null),
      signal,
    );
    return await takeFingerprint(ticket.service, snapshot?.services ?? null, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    deps.log.warn({ err: error, service: ticket.service }, 'how the service was left cannot be told');
    return null;
  }
}
