import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { CheckResult } from '../../src/domain/check';
import type { TicketResult, TicketSpec } from '../../src/domain/ticket';
import type { Proposal, ToolCall, ToolResult } from '../../src/domain/tool';
import type { AgentActivities } from '../../src/workflows/agent-contract';
import type { MonitorActivities, RemediateInput, VerifyResult } from '../../src/workflows/contract';
import { QUEUES, WORKFLOWS } from '../../src/workflows/contract';
import { waitFor } from './wait-for';
import { startTemporal, startWorker } from './workflow-environment';

export const AT = '2026-01-01T00:00:00.000Z';
export const failing: CheckResult = {
  invariantId: 'api_healthy',
  revision: 1,
  at: AT,
  ok: false,
  latencyMs: 1,
  resolved: {},
  error: 'connection refused',
};

export const RESTART = {
  name: 'service_control',
  input: { service: 'api', action: 'restart', expect: 'exited' },
};
export const DONE = { name: 'update_ticket_status', input: { status: 'completed', reason: 'r' } };
export const ASK = {
  name: 'update_ticket_status',
  input: { status: 'blocked', reason: 'cannot', report: 'facts' },
};

function ticket(invariantId: string): TicketSpec {
  return {
    id: `T-${invariantId}`,
    invariantId,
    service: 'api',
    objective: 'Bring api back',
    successCriteria: 'it holds',
    context: '',
    priority: 'high',
    suspectedCause: 'killed',
    confidence: 0.8,
    sourceType: 'monitor',
    sourceId: invariantId,
    detectedAt: AT,
    createdAt: AT,
    joinedInvariants: [],
    evidence: [],
    firstCheck: { ...failing, invariantId },
  };
}

/** A brain that plays a list of calls and fails loudly when it runs out. */
export function scripted(...calls: Omit<ToolCall, 'id'>[]) {
  const seen: (readonly ToolResult[])[] = [];
  let turn = 0;
  return {
    seen,
    proposeStep: (input: { results: readonly ToolResult[] }): Promise<Proposal> => {
      seen.push(input.results);
      const call = calls[turn];
      turn += 1;
      if (!call) throw new Error(`the script has ${calls.length} calls, turn ${turn} was asked for`);
      return Promise.resolve({
        brain: 'runbook',
        text: '',
        calls: [{ id: `c${turn}`, ...call }],
        memory: null,
      });
    },
  };
}

export const tool =
  (data: ToolResult['data'], isError = false) =>
  ({ call }: { call: ToolCall }): Promise<ToolResult> =>
    Promise.resolve({ callId: call.id, tool: call.name, isError, content: 'done', data });

/** Proofs in the order they are asked for. */
export function proofs(...answers: boolean[]) {
  return (): Promise<VerifyResult> => {
    const recovered = answers.shift();
    if (recovered === undefined) throw new Error('one proof too many was asked for');
    return Promise.resolve({
      recovered,
      at: AT,
      successes: recovered ? 3 : 0,
      failing: recovered ? [] : [failing],
    });
  };
}

export type Ticket = WorkflowHandle<(input: RemediateInput) => Promise<TicketResult>>;

/** Tickets on a real server, with workers whose activities a test gives. Made for one test file. */
export class TicketBench {
  private server: TestWorkflowEnvironment | null = null;
  private readonly workers: { stop(): Promise<void> }[] = [];

  constructor() {
    beforeAll(async () => {
      this.server = await startTemporal();
    });
    afterEach(async () => {
      await Promise.all(this.workers.splice(0).map((worker) => worker.stop()));
    });
    afterAll(() => this.env.teardown());
  }

  get env(): TestWorkflowEnvironment {
    if (!this.server) throw new Error('the server has not been started');
    return this.server;
  }

  /** A new ticket of an agent and a monitor that are what is given, and otherwise allow everything. */
  async run(activities: Partial<AgentActivities>, monitor: Partial<MonitorActivities>): Promise<Ticket> {
    this.workers.push(
      await startWorker(this.env, 'agent', {
        claimTicket: () =>
          Promise.resolve({ agent: 'test', brain: 'runbook', maxTurns: 5, retryAfterMs: 60_000 }),
        decide: () => Promise.resolve({ verdict: 'allow', rule: 'test', reason: '' }),
        archiveTicket: () => Promise.resolve(),
        ...activities,
      }),
      await startWorker(this.env, 'monitor', monitor),
    );
    const invariantId = `i-${randomUUID()}`;
    return await this.env.client.workflow.start(WORKFLOWS.remediateTicket, {
      workflowId: invariantId,
      taskQueue: QUEUES.agent,
      args: [{ ticket: ticket(invariantId) }],
    });
  }
}

export async function untilStatus(handle: Ticket, status: string): Promise<Record<string, unknown>> {
  return await waitFor(`the ticket is ${status}`, async () => {
    const { searchAttributes, memo } = await handle.describe();
    return searchAttributes['TicketStatus']?.[0] === status ? { ...memo } : null;
  });
}
