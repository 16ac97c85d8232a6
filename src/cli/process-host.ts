import pino from 'pino';
import type { ProcessHost } from '../config/process-host';

/** The parts of `process` that a host needs; tests give their own. */
export interface HostedProcess {
  on(event: 'SIGINT' | 'SIGTERM' | 'disconnect', listener: () => void): unknown;
  off(event: 'SIGINT' | 'SIGTERM' | 'disconnect', listener: () => void): unknown;
  exit(code: number): void;
  readonly connected?: boolean;
  send?(message: { readonly type: 'ready' }): unknown;
}

export interface HostedRun extends ProcessHost {
  /** 130 or 143 when a signal ended it, else 0. */
  exitCode(): number;
  /** Takes the signal handlers away. */
  release(): void;
}

const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Gives a long-running process its logger, and an AbortSignal that is aborted by SIGINT, SIGTERM or the loss of the
 * parent's IPC channel. A second signal ends the process at once.
 */
export function createProcessHost(options: {
  readonly name: string;
  readonly logLevel: string;
  readonly process: HostedProcess;
  readonly destination?: pino.DestinationStream;
}): HostedRun {
  const { name, logLevel, process: hosted } = options;
  const abort = new AbortController();
  let code = 0;
  const stopOn = (signal: keyof typeof SIGNAL_CODES) => () => {
    if (abort.signal.aborted) {
      hosted.exit(SIGNAL_CODES[signal]);
      return;
    }
    code = SIGNAL_CODES[signal];
    abort.abort(new Error(`stopped by ${signal}`));
  };
  const onSigint = stopOn('SIGINT');
  const onSigterm = stopOn('SIGTERM');
  const onDisconnect = () => abort.abort(new Error('the supervisor went away'));
  hosted.on('SIGINT', onSigint);
  hosted.on('SIGTERM', onSigterm);
  hosted.on('disconnect', onDisconnect);

  return {
    signal: abort.signal,
    log: pino(
      { level: logLevel, base: { name }, timestamp: pino.stdTimeFunctions.isoTime },
      options.destination ?? pino.destination({ fd: 1, sync: true }),
    ),
    ready() {
      if (hosted.connected === true) hosted.send?.({ type: 'ready' });
    },
    exitCode: () => code,
    release() {
      hosted.off('SIGINT', onSigint);
      hosted.off('SIGTERM', onSigterm);
      hosted.off('disconnect', onDisconnect);
    },
  };
}
