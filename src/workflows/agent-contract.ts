import type { Json } from '../domain/json';
import type { AttemptCause, Brain } from '../domain/ticket';
import type { Decision, Proposal, ToolCall, ToolName, ToolResult } from '../domain/tool';
import type { PersonRequest, TicketRunInput } from './contract';

export interface TicketContext {
  readonly ticketId: string;
  readonly invariantId: string;
  readonly service: string | null;
  /** When the first failed check began, RFC 3339. */
  readonly detectedAt: string;
  /** Recent repairs of the service that did not last, this failure's included; absent in histories of earlier versions. */
  readonly relapses?: number;
}

export interface Claim {
  /** Which agent process took the ticket. */
  readonly agent: string;
  readonly brain: Brain;
  /** Who works on it, in this order; absent in histories of earlier versions: `brain` alone. */
  readonly brains?: readonly Brain[];
  /** Turns of each brain in one attempt. */
  readonly maxTurns: number;
  /** When a blocked ticket starts its next attempt by itself. */
  readonly retryAfterMs: number;
}

export interface ProposeInput {
  readonly ticket: TicketContext;
  readonly brain: Brain;
  readonly attempt: number;
  /** Why this attempt began; absent in histories of earlier versions. */
  readonly begunBy?: AttemptCause;
  readonly turn: number;
  /** New since the last turn: results of its calls, answers to a proposal, notes of people. */
  readonly results: readonly ToolResult[];
  readonly notes: readonly string[];
  readonly memory: Json;
  /** Since the attempt was claimed; absent in histories of earlier versions. */
  readonly workedMs?: number;
}

interface DecideInput {
  readonly ticket: TicketContext;
  readonly call: ToolCall;
}

export interface ToolInput {
  readonly ticket: TicketContext;
  readonly call: ToolCall;
  /** A model took its time between its last look and this call: an acting tool looks once more before it acts. */
  readonly recheck?: boolean;
  /** Who ordered the call; absent when the ticket's own brain proposed it, which therefore cannot claim it. */
  readonly person?: PersonRequest;
}

export interface UndoInput {
  readonly ticket: TicketContext;
  readonly person: PersonRequest;
}

/** One activity per tool, so that history and the Temporal Web UI name what was done. */
export type ToolActivities = Readonly<Record<ToolName, (input: ToolInput) => Promise<ToolResult>>>;

/** Activities on the queue `harness-agent`. */
export interface AgentActivities extends ToolActivities {
  /** Says which agent took the ticket and which brain it will use. */
  claimTicket(ticket: TicketContext): Promise<Claim>;
  /** One turn of the active brain, with the decisions on its calls that do not act. */
  proposeStep(input: ProposeInput): Promise<Proposal>;
  /** Policy: may this call run? */
  decide(input: DecideInput): Promise<Decision>;
  /** Writes the ticket's trajectory, folded from its history, to the archive. */
  archiveTicket(input: TicketRunInput): Promise<void>;
  /** Keeps the events of a run that was continued as new; the server forgets it while its ticket is still open. */
  keepRun(input: TicketRunInput): Promise<void>;
}
