/** The supervisor cannot be reached. `wasSent` tells whether it may have got the request: then its outcome is unknown. */
export class ControlUnreachable extends Error {
  override readonly name = 'ControlUnreachable';
  constructor(
    readonly socketPath: string,
    problem: string,
    readonly wasSent: boolean,
  ) {
    super(
      wasSent
        ? `The supervisor on ${socketPath} broke off before its answer (${problem}); look at the service before you repeat.`
        : `No supervisor answers on ${socketPath} (${problem}). Is "harness run" running with this data directory?`,
    );
  }
}

/** The supervisor understood the request and refuses it: unknown service, a bad body, a service it does not run; 500: it failed. */
export class ControlRefused extends Error {
  override readonly name = 'ControlRefused';
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
