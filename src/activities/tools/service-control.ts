import { z } from 'zod';
import { ControlRefused, ControlUnreachable } from '../../client/control-errors';
import type { ControlResult, Expectation } from '../../domain/service-state';
import { SERVICE_ACTIONS } from '../../domain/service-state';
import { describeService } from './describe-service';
import type { Tool, ToolDeps } from './tool';
import { defineTool, untilAborted } from './tool';
import type { ToolOutcome } from './tool-result';
import { REFUSED, ToolProblem } from './tool-result';

const expectation = z.union(
  [z.literal('exited'), z.strictObject({ pid: z.number().int().positive(), started_at: z.string().min(1) })],
  { error: 'expect must be "exited" or {"pid": number, "started_at": "…"}, as inspect_service showed it' },
);
const input = z.strictObject({
  service: z.string(),
  action: z.enum(['status', ...SERVICE_ACTIONS]),
  expect: expectation.optional(),
});

/** Starts, stops or restarts the ticket's own service through the supervisor, but only if it is as the caller saw it. */
export function createServiceControl(deps: ToolDeps): Tool {
  return defineTool('service_control', input, async ({ service, action, expect }, scope) => {
    if (action === 'status') return readStatus(deps, service, scope.signal);
    // Policy refuses an acting call without `expect`.
    if (expect === undefined) throw new ToolProblem(`${action} needs "expect".`, REFUSED);
    const request = {
      service,
      action,
      expect: toExpectation(expect),
      by: `ticket:${scope.ticket.ticketId}`,
      operationId: scope.operationId,
    };
    const result = await deps.control.act(request, scope.signal).catch(explainControlError);
    return describeResult(result, action);
  });
}

async function readStatus(deps: ToolDeps, name: string, signal: AbortSignal): Promise<ToolOutcome> {
  const snapshot = await untilAborted(deps.control.snapshot(), signal).catch(explainControlError);
  const service = snapshot.services.find((candidate) => candidate.name === name);
  if (!service) {
    throw new ToolProblem(
      `The supervisor does not know the service ${JSON.stringify(name)}; ask a person.`,
      REFUSED,
    );
  }
  return { content: describeService(service), data: { outcome: 'noop', service } };
}

function describeResult(result: ControlResult, action: string): ToolOutcome {
  const { outcome, service } = result;
  const now = describeService(service);
  const data = { outcome, service };
  switch (outcome) {
    case 'performed':
      return { content: `Done: ${action}. ${result.message}\n${now}`, data };
    case 'noop':
      return { content: `Nothing to do, it already was so. ${result.message}\n${now}`, data };
    case 'fenced':
      return {
        content: `Nothing was done: the service is not as you expected. ${result.message}\nIt is now: ${now}\nLook again with inspect_service before you act.`,
        data,
      };
    case 'failed':
      return {
        isError: true,
        content: [
          `Tried to ${action}, and the service did not become ready. ${result.message}`,
          now,
          'Last log lines:',
          ...result.lastLines,
        ].join('\n'),
        data,
      };
  }
}

/** For `catch`: what the brain can know of a call that did not come back; anything else stays what it is. */
export function explainControlError(error: unknown): never {
  if (error instanceof ControlUnreachable && error.wasSent) {
    // No `outcome`: the workflow counts it as a possible effect.
    throw new ToolProblem(
      `${error.message} Whether anything was done is not known: look with inspect_service before you act again.`,
    );
  }
  if (error instanceof ControlUnreachable) {
    throw new ToolProblem(
      `${error.message} Nothing was done. Look again in a few seconds; if it stays away, ask a person to check that \`harness run\` is alive.`,
      REFUSED,
    );
  }
  if (error instanceof ControlRefused && error.status < 500) {
    throw new ToolProblem(`The supervisor refused: ${error.message}. Nothing was done.`, REFUSED);
  }
  throw error;
}

function toExpectation(expect: z.infer<typeof expectation>): Expectation {
  return expect === 'exited' ? expect : { pid: expect.pid, startedAt: expect.started_at };
}
