import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { readLogTail } from '../../client/log-reader';
import type { ServiceConfig } from '../../config/config';
import type { CheckResult } from '../../domain/check';
import { BUILTIN_COMMAND_RULES } from '../../domain/command-rules';
import { decideCall } from '../../domain/policy';
import type { Redact } from '../../domain/redaction';
import type { Control } from '../../domain/service-state';
import type { ToolCall, ToolName, ToolResult } from '../../domain/tool';
import type { TicketContext, ToolInput } from '../../workflows/agent-contract';
import type { PersonRequest } from '../../workflows/contract';
import type { AuditLog } from '../audit';
import type { LookAtPorts, OwnerOf } from '../port-identity';
import type { ToolOutcome } from './tool-result';
import { REFUSED, ToolProblem, toToolResult } from './tool-result';

export interface CommandSettings {
  /** Where programs are looked for, and nowhere else. */
  readonly directories: readonly string[];
  /** Set in the environment of every command, so that the supervisor finds those that outlive the agent. */
  readonly marks: Readonly<Record<string, string>>;
}

export interface ToolDeps {
  readonly services: readonly ServiceConfig[];
  readonly control: Control;
  readonly dataDir: string;
  readonly readLogs: typeof readLogTail;
  /** Probes an invariant now, within its own time-out or `limitMs` if that is shorter; null when it is not known. */
  readonly probe: (invariantId: string, ownerOf: OwnerOf, limitMs?: number) => Promise<CheckResult | null>;
  readonly lookAtPorts: LookAtPorts;
  /** Whether an attempt of this ticket is under way now; rejects when that cannot be told. */
  readonly isAtWork: (ticketId: string) => Promise<boolean>;
  readonly commands: CommandSettings;
  readonly redact: Redact;
  readonly audit: AuditLog;
  readonly now: () => Date;
  readonly log: Logger;
}

/** What a tool knows of the call it serves. */
export interface ToolScope {
  readonly ticket: TicketContext;
  readonly call: ToolCall;
  /** Aborted when the ticket is cancelled or the worker stops. */
  readonly signal: AbortSignal;
  /** The same in every attempt of this activity, different for every other call. */
  readonly operationId: string;
  /** Whoever calls has taken time since the last look. False when the call is tried again: it may have been done already. */
  readonly recheck: boolean;
  /** Who ordered the call; null when the ticket's own brain proposed it. */
  readonly person: PersonRequest | null;
}

export interface Tool {
  readonly name: ToolName;
  /** What its input must be; a model is told the same by `domain/tool-schemas.ts`. */
  readonly input: z.ZodType;
  readonly run: (rawInput: ToolCall['input'], scope: ToolScope) => Promise<ToolOutcome>;
}

const HEARTBEAT_MS = 400;
/** A tool whose input is checked before `run` sees it. */
export function defineTool<Schema extends z.ZodType>(
  name: ToolName,
  schema: Schema,
  run: (input: z.infer<Schema>, scope: ToolScope) => Promise<ToolOutcome>,
): Tool {
  return {
    name,
    input: schema,
    run: async (rawInput, scope) => {
      const input = schema.safeParse(rawInput);
      if (input.success) return run(input.data, scope);
      throw new ToolProblem(
        `${name}: the input ${JSON.stringify(rawInput).slice(0, 300)} is not right:\n${z.prettifyError(input.error)}\nCorrect it and call again.`,
        REFUSED,
      );
    },
  };
}

/**
 * Makes a tool an activity: it heartbeats, checks policy once more against this machine's own configuration (whoever
 * reaches the Temporal port can schedule an activity), turns every failure into data for the brain, and is recorded.
 * Throws only when it is cancelled.
 */
export function toActivity(tool: Tool, deps: ToolDeps): (input: ToolInput) => Promise<ToolResult> {
  return async ({ ticket, call, person = null, recheck = false }) => {
    const context = Context.current();
    const startedAt = performance.now();
    const heartbeat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
    const scope = {
      ticket,
      call,
      signal: context.cancellationSignal,
      operationId: operationIdOf(context),
      person,
      recheck: recheck && context.info.attempt === 1,
    };
    const record = async (result: ToolResult | null): Promise<void> => {
      const durationMs = performance.now() - startedAt;
      const ended = result ? 'returned' : 'cancelled';
      // What is done is done: a full disk must not make it look undone, `decide` stops the next call.
      await deps.audit
        .execution({ ticket, call, person, durationMs, ended, result })
        .catch((error: unknown) => deps.log.error({ err: error, tool: tool.name }, 'audit line lost'));
    };
    try {
      const outcome = await attempt(tool, scope, deps);
      const result = toToolResult(call, outcome, deps.redact);
      await record(result);
      return result;
    } catch (error) {
      await record(null);
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  };
}

async function attempt(tool: Tool, scope: ToolScope, deps: ToolDeps): Promise<ToolOutcome> {
  const { call, ticket, signal } = scope;
  try {
    if (call.name !== tool.name) {
      throw new ToolProblem(`The activity ${tool.name} does not serve the tool ${call.name}.`, REFUSED);
    }
    const decision = decideCall(call, {
      ticketService: ticket.service,
      services: deps.services,
      commandRules: BUILTIN_COMMAND_RULES,
      // Pauses are known to `decide`, which the workflow asked a moment ago.
      pause: null,
    });
    if (decision.verdict === 'deny') throw new ToolProblem(`Refused: ${decision.reason}`, REFUSED);
    return await tool.run(call.input, scope);
  } catch (error) {
    if (signal.aborted) await Context.current().cancelled;
    if (error instanceof ToolProblem) return { isError: true, content: error.message, data: error.data };
    const reason = error instanceof Error ? error.message : String(error);
    deps.log.warn({ err: error, tool: tool.name, ticket: ticket.ticketId }, 'tool failed');
    return {
      isError: true,
      content: `${tool.name} failed: ${reason}. Try another way to the same fact, or note it and go on.`,
    };
  }
}

/** Rejects when the signal aborts, for collaborators that know no signal. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function operationIdOf(context: Context): string {
  const { workflowExecution, activityId } = context.info;
  return `${workflowExecution?.workflowId ?? 'none'}/${workflowExecution?.runId ?? 'none'}/${activityId}`;
}
