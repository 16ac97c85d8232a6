import type { Environment } from '../config/environment';
import type { LogOutput } from './log-output';
import type { ListenForStop } from './stop-requests';

/** Where `run` writes: lines of processes and its own talk to one, the ready line to the other. */
interface RunStreams {
  /** Lines of the processes. */
  readonly lines: LogOutput;
  /** Data: the ready line. */
  readonly data: (text: string) => void;
}

export interface RunOptions {
  /** False: the services are known but not started. */
  readonly service: boolean;
  /** Show only what the harness itself has to say. */
  readonly quiet: boolean;
  /** The ready line as JSON. */
  readonly json: boolean;
  /** Start empty although a database of another Temporal version holds open tickets. */
  readonly abandonOpenTickets: boolean;
  readonly environment: Environment;
  readonly streams: RunStreams;
  /** Milliseconds since the epoch; what "ready in" counts from. */
  readonly startedAt: number;
  readonly listenForStop?: ListenForStop;
}
