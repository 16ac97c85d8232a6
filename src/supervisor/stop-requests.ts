const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
export type StopSignal = keyof typeof SIGNALS;

/** Calls the listener for every signal that asks this process to end; returns the way to stop listening. */
export type ListenForStop = (listener: (signal: StopSignal) => void) => () => void;

const listenToProcess: ListenForStop = (listener) => {
  const names = Object.keys(SIGNALS) as StopSignal[];
  const handlers = names.map((name) => [name, () => listener(name)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
};

/** The first request to stop asks for order, the second for haste. */
export class StopRequests {
  /** Resolves with the exit code that tells of the signal. */
  readonly first: Promise<number>;
  readonly second: Promise<void>;
  private readonly controller = new AbortController();
  readonly dispose: () => void;

  constructor(listen: ListenForStop = listenToProcess) {
    let onFirst: (code: number) => void = () => undefined;
    let onSecond: () => void = () => undefined;
    this.first = new Promise((resolve) => (onFirst = resolve));
    this.second = new Promise((resolve) => (onSecond = resolve));
    this.dispose = listen((signal) => {
      if (this.controller.signal.aborted) {
        onSecond();
        return;
      }
      // Before anybody waiting on `first` goes on, whoever is starting something must know.
      this.controller.abort(new Error(`stopped by ${signal}`));
      onFirst(SIGNALS[signal]);
    });
  }

  /** Aborted by the first request. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }
}
