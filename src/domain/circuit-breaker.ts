/** Spares a dead server: after `failures` failures in a row nobody asks for `openMs`, then one call tries. */
export interface CircuitState {
  readonly failures: number;
  /** Null while closed. Milliseconds of the same clock as `nowMs`. */
  readonly openedAtMs: number | null;
  /** When the one call that tries began; it is given up for lost after `openMs`. */
  readonly probeAtMs: number | null;
}

export interface CircuitOptions {
  readonly failures: number;
  readonly openMs: number;
}

export const CLOSED_CIRCUIT: CircuitState = { failures: 0, openedAtMs: null, probeAtMs: null };

export type Admission =
  | { readonly admitted: true; readonly state: CircuitState }
  | { readonly admitted: false; readonly retryAfterMs: number };

/** May a call go out now? `nowMs` comes from a clock that never goes back. */
export function admit(state: CircuitState, nowMs: number, { openMs }: CircuitOptions): Admission {
  if (state.openedAtMs === null) return { admitted: true, state };
  const busyUntilMs = Math.max(state.openedAtMs, state.probeAtMs ?? 0) + openMs;
  if (nowMs < busyUntilMs) return { admitted: false, retryAfterMs: Math.ceil(busyUntilMs - nowMs) };
  return { admitted: true, state: { ...state, probeAtMs: nowMs } };
}

/**
 * Takes in how an admitted call ended. `answered`: the server is alive, whatever it said. `abandoned`: the call was given up
 * on our side and tells nothing, so the next one may try.
 */
export function settle(
  state: CircuitState,
  outcome: 'answered' | 'failed' | 'abandoned',
  nowMs: number,
  options: CircuitOptions,
): CircuitState {
  switch (outcome) {
    case 'answered':
      return CLOSED_CIRCUIT;
    case 'abandoned':
      return { ...state, probeAtMs: null };
    case 'failed': {
      const failures = state.failures + 1;
      const opens = failures >= options.failures;
      return { failures, openedAtMs: opens ? nowMs : null, probeAtMs: null };
    }
  }
}
