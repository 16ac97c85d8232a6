export const SERVICE_STATES = ['stopped', 'starting', 'running', 'exited', 'external'] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];
export const SERVICE_ACTIONS = ['start', 'stop', 'restart'] as const;
export type ServiceAction = (typeof SERVICE_ACTIONS)[number];

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly at: string;
}

/** What the supervisor knows of one service. Timestamps RFC 3339 UTC with milliseconds. */
export interface ServiceStatus {
  readonly name: string;
  readonly state: ServiceState;
  readonly pid: number | null;
  readonly startedAt: string | null;
  /** The last exit; null while none has been seen since the supervisor started. */
  readonly exit: ProcessExit | null;
  /** Starts after the first one, by anybody's order, since the supervisor started. */
  readonly restarts: number;
  readonly ready: boolean;
  readonly desired: 'running' | 'stopped';
}

/** What the caller believes; an acting call whose belief is wrong does nothing (fencing). */
export type Expectation = 'exited' | { readonly pid: number; readonly startedAt: string };

export interface ControlRequest {
  readonly service: string;
  readonly action: ServiceAction;
  readonly expect?: Expectation;
  /** Who asks, for logs and events: `person`, `ticket:<id>`. */
  readonly by: string;
  /** Idempotency key: a repeated call with the same key gets the first call's result, and nothing is done twice. */
  readonly operationId?: string;
}

export type ControlOutcome =
  /** `noop`: it already was as asked. `fenced`: reality differs from `expect`; nothing was done. `failed`: tried, and the service is not ready. */
  'performed' | 'noop' | 'fenced' | 'failed';

export interface ControlResult {
  readonly outcome: ControlOutcome;
  readonly service: ServiceStatus;
  readonly message: string;
  /** Last stored log lines when the outcome is `failed`. */
  readonly lastLines: readonly string[];
}

/** `asked` tells whether somebody ordered it: an exit with `asked: false` is a failure. */
export interface ServiceEvent {
  readonly seq: number;
  readonly at: string;
  readonly kind: 'starting' | 'ready' | 'exited' | 'stopped';
  readonly asked: boolean;
  readonly service: ServiceStatus;
}

/** The harness's own processes as the supervisor sees them. */
export interface ComponentStatus {
  readonly name: string;
  readonly state: 'starting' | 'running' | 'exited' | 'stopped';
  readonly pid: number | null;
  readonly exit: ProcessExit | null;
}

/** The first line of the event stream: the whole state, so that a reconnecting reader misses nothing. */
export interface ControlSnapshot {
  readonly services: readonly ServiceStatus[];
  readonly components: readonly ComponentStatus[];
}

/** The supervisor's control socket as its callers see it. Rejects with a ControlUnreachable error when nobody listens. */
export interface Control {
  snapshot(): Promise<ControlSnapshot>;
  act(request: ControlRequest, signal?: AbortSignal): Promise<ControlResult>;
}
