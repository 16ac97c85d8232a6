import { BUILTIN_COMMAND_RULES } from '../domain/command-rules';
import type { Pause } from '../domain/pause';
import type { PolicyService } from '../domain/policy';
import { decideCall } from '../domain/policy';
import { isActingCall } from '../domain/tool';
import type { AgentActivities, TicketContext } from '../workflows/agent-contract';
import type { AuditLog } from './audit';

export interface DecideDeps {
  readonly services: readonly PolicyService[];
  readonly audit: AuditLog;
  /** The pause that covers this ticket now; rejects while the registry cannot be read. */
  readonly pauseOf: (ticket: TicketContext) => Promise<Pause | null>;
}

/** Makes the activity that says whether a call may run. Every decision is recorded first; throws Storage when it cannot be. */
export function createDecideActivity(deps: DecideDeps): AgentActivities['decide'] {
  return async ({ ticket, call }) => {
    // Only what acts is held by a pause, and reading the registry takes time.
    const pause = isActingCall(call) ? await deps.pauseOf(ticket) : null;
    const decision = decideCall(call, {
      ticketService: ticket.service,
      services: deps.services,
      commandRules: BUILTIN_COMMAND_RULES,
      pause,
    });
    await deps.audit.decision({ ticket, call, decision });
    return decision;
  };
}
