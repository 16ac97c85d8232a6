import { BUILTIN_COMMAND_RULES } from '../domain/command-rules';
import type { PolicyService } from '../domain/policy';
import { decideCall } from '../domain/policy';
import type { AgentActivities } from '../workflows/contract';
import type { AuditLog } from './audit';

export interface DecideDeps {
  readonly services: readonly PolicyService[];
  readonly audit: AuditLog;
}

/** Makes the activity that says whether a call may run. Every decision is recorded first; throws Storage when it cannot be. */
export function createDecideActivity(deps: DecideDeps): AgentActivities['decide'] {
  return async ({ ticket, call }) => {
    const decision = decideCall(call, {
      ticketService: ticket.service,
      services: deps.services,
      commandRules: BUILTIN_COMMAND_RULES,
    });
    await deps.audit.decision({ ticket, call, decision });
    return decision;
  };
}
