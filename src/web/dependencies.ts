import type { Logger } from 'pino';
import type { MonitorSamples } from '../client/monitor-samples';
import type { SpendReport } from '../client/spend-reader';
import type { TicketReader } from '../client/tickets';
import type { AttemptLimits } from '../domain/budget';
import type { CheckResult } from '../domain/check';
import type { InvariantDefinition } from '../domain/invariant';
import type { RegistryEvent, RegistryState } from '../domain/registry';
import type { Control } from '../domain/service-state';
import type { UndoReport } from '../domain/undo-report';
import type { UndoInput } from '../workflows/agent-contract';
import type { CancelReason, NoteInput, PersonRequest, RegistryChange } from '../workflows/contract';

export interface RunAddress {
  readonly workflowId: string;
  /** Left out: whichever run is open. */
  readonly runId?: string;
}

/** What people may do to an open ticket; resolves to false when its run has closed. Works with no worker. */
export interface TicketCommands {
  note(run: RunAddress, note: NoteInput): Promise<boolean>;
  cancel(run: RunAddress, reason: CancelReason): Promise<boolean>;
  retry(run: RunAddress, request: PersonRequest): Promise<boolean>;
}

export type UndoAnswer =
  | { readonly kind: 'done'; readonly report: UndoReport }
  /** It is ordered and goes on by itself. */
  | { readonly kind: 'waiting'; readonly detail: string };

export type DismissedFailure = Omit<Extract<RegistryEvent, { type: 'dismissed' }>, 'type'>;

export interface RegistryAccess {
  /** Throws RegistryMissing. */
  read(): Promise<RegistryState>;
  /** Throws a Problem when it was refused, or when no monitor took it in time. */
  change(change: RegistryChange): Promise<void>;
  /** No new ticket for these until each has been up once, or `until`. Works with no monitor. */
  dismiss(failure: DismissedFailure): Promise<void>;
}

export interface OpenRun {
  readonly workflowId: string;
  readonly runId: string;
  readonly ticketId: string;
}

export interface Component {
  readonly name: 'temporal' | 'monitor' | 'agent' | 'supervisor';
  readonly status: 'ok' | 'degraded' | 'down';
  readonly detail: string;
}

/** Everything the web process talks to; the app itself opens nothing. */
export interface WebDependencies {
  readonly tickets: TicketReader;
  /** Open tickets by invariant ID. */
  readonly openTickets: () => Promise<ReadonlyMap<string, OpenRun>>;
  readonly commands: TicketCommands;
  /** Has the agent put a ticket's edits back. Throws a Problem when it could not, or is being done already. */
  readonly undoEdits: (input: UndoInput) => Promise<UndoAnswer>;
  readonly registry: RegistryAccess;
  /** Why an invariant made by the API may not point there; null when it may. */
  readonly refuseTarget: (definition: InvariantDefinition) => Promise<string | null>;
  readonly serviceNames: readonly string[];
  /** Probes one invariant now, in the monitor. Null: it probed nothing, because the invariant is disabled. */
  readonly checkNow: (invariantId: string) => Promise<CheckResult | null>;
  readonly control: Control;
  /** Null: the monitor does not answer. */
  readonly samples: () => Promise<MonitorSamples | null>;
  readonly components: () => Promise<readonly Component[]>;
  /** What models cost, by the files of the processes that call them. */
  readonly spend: () => Promise<SpendReport>;
  /** What one attempt may use. */
  readonly budget: AttemptLimits;
  readonly redact: (text: string) => string;
  readonly now: () => Date;
  /** How long a cancelled ticket's failure opens no new one. */
  readonly cooldownMs: number;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  /** What may be asked of this web server, and by whom. */
  readonly web: {
    readonly host: string;
    readonly token: string;
    readonly tokenFile: string;
    /** Requests of one client in ten seconds. */
    readonly requestLimit?: number;
  };
}
