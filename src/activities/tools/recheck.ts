import { whyNotAct } from '../../domain/act-guard';
import { look } from './look-at-service';
import { serviceOf } from './service-of';
import type { Tool, ToolDeps, ToolScope } from './tool';
import { REFUSED, ToolProblem } from './tool-result';

/** A tool that looks once more whether there still is a reason, when whoever calls it has taken time since the last look. */
export function rechecked(deps: ToolDeps, tool: Tool): Tool {
  return {
    ...tool,
    run: async (rawInput, scope) => {
      if (scope.recheck) await refuseWithoutReason(deps, scope);
      return await tool.run(rawInput, scope);
    },
  };
}

async function refuseWithoutReason(deps: ToolDeps, scope: ToolScope): Promise<void> {
  const { ticket, call } = scope;
  if (ticket.service === null) return;
  const config = serviceOf(deps.services, ticket.service);
  const seen = await look(deps, config, scope);
  const reason = whyNotAct({
    ...seen,
    call,
    // A clock that was set back in between counts as no time at all.
    failingMs: Math.max(0, deps.now().getTime() - Date.parse(ticket.detectedAt)),
    relapses: { count: ticket.relapses ?? 0, limit: config.restartLimit.relapses },
  });
  if (reason !== null) throw new ToolProblem(`Nothing was done: ${reason}.`, REFUSED);
}
