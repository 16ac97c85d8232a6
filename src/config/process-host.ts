import type { Logger } from 'pino';

/** What every long-running process of the harness gets from its executable. */
export interface ProcessHost {
  /** Aborted once when the process must stop (signal, or the supervisor went away). */
  readonly signal: AbortSignal;
  /** Call once when the process can do its work; tells the supervisor, if there is one. */
  ready(): void;
  /** JSON lines on stdout; the supervisor stores and prettifies them. */
  readonly log: Logger;
}
