import type { TicketContext } from '../../workflows/agent-contract';
import type { Confinement } from './confined-path';
import { ToolProblem } from './tool-result';

/** What this ticket may read. */
export function confinementOf(
  confinements: ReadonlyMap<string, Confinement>,
  ticket: TicketContext,
): Confinement {
  const confinement = ticket.service === null ? undefined : confinements.get(ticket.service);
  if (confinement && confinement.roots.length > 0) return confinement;
  throw new ToolProblem(
    `The service ${JSON.stringify(ticket.service)} declares no files that may be read; go on with inspect_service and query_logs.`,
  );
}
