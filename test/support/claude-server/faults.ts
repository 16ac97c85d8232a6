import type { RefusalStopDetails } from '@anthropic-ai/sdk/resources/messages';
import type { ScriptedCall, ScriptedTurn } from './script';

/** What goes wrong instead of the scripted reply. */
export type Fault =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly details?: object;
    }
  /** Says nothing more after so many events; with none not even headers. */
  | { readonly kind: 'hang'; readonly afterEvents: number }
  /** The connection breaks after so many events. */
  | { readonly kind: 'cut'; readonly afterEvents: number }
  /** The stream ends after so many events as if that were all. */
  | { readonly kind: 'early_end'; readonly afterEvents: number }
  | { readonly kind: 'error_event'; readonly afterEvents: number; readonly type: string }
  /** The model itself says something else; gets what the script would have said. */
  | { readonly kind: 'turn'; readonly change: (scripted: () => ScriptedTurn) => ScriptedTurn };

interface HttpFaultOptions {
  readonly retryAfterS?: number;
  readonly shouldRetry?: boolean;
  /** Stands in `error.details.error_code`. */
  readonly errorCode?: string;
}

function http(status: number, type: string, message: string, options: HttpFaultOptions = {}): Fault {
  const { retryAfterS, shouldRetry, errorCode } = options;
  const headers = {
    ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
    ...(shouldRetry === undefined ? {} : { 'x-should-retry': String(shouldRetry) }),
  };
  const details = errorCode === undefined ? {} : { details: { error_code: errorCode } };
  return { kind: 'http', status, type, message, headers, ...details };
}

function turn(change: (scripted: () => ScriptedTurn) => ScriptedTurn): Fault {
  return { kind: 'turn', change: (scripted) => ({ ...change(scripted), evenIfForbidden: true }) };
}

/** Every fault the server can play. */
export const FAULTS = {
  http,
  /** Without `retryAfterS` it is how a spend cap looks. */
  rateLimit: (options: HttpFaultOptions = {}) =>
    http(429, 'rate_limit_error', 'This request would exceed your rate limit.', options),
  overloaded: (options: HttpFaultOptions = {}) => http(529, 'overloaded_error', 'Overloaded', options),
  serverError: (options: HttpFaultOptions = {}) => http(500, 'api_error', 'Internal server error', options),
  hang: (afterEvents = 0): Fault => ({ kind: 'hang', afterEvents }),
  cutMidStream: (afterEvents = 4): Fault => ({ kind: 'cut', afterEvents }),
  earlyEnd: (afterEvents = 4): Fault => ({ kind: 'early_end', afterEvents }),
  errorEvent: (type = 'overloaded_error', afterEvents = 4): Fault => ({
    kind: 'error_event',
    type,
    afterEvents,
  }),
  maxTokensInCall: () => turn((scripted) => ({ ...scripted(), isCutOff: true })),
  refusal: (category: RefusalStopDetails['category'] = 'cyber') =>
    turn(() => ({ stopReason: 'refusal', refusalCategory: category })),
  /** The default is JSON, but not what any tool asks for. */
  malformedInput: (rawInput = '{"servis": 7}') =>
    turn((scripted) => mapCalls(scripted(), (call) => ({ ...call, rawInput }))),
  unknownTool: (name = 'reboot_the_moon') =>
    turn((scripted) => mapCalls(scripted(), (call) => ({ ...call, name }))),
  /** Without another call the scripted one is made twice. */
  parallelCalls: (other?: ScriptedCall) =>
    turn((scripted) => {
      const said = scripted();
      const [first] = said.calls ?? [];
      const second = other ?? first;
      return { ...said, calls: [first, second].filter((call) => call !== undefined) };
    }),
  invalidJson: (json = '{"create_ticket": tru') => turn(() => ({ json })),
  endTurn: (text = 'I am done here.') => turn(() => ({ text })),
  contextWindowExceeded: () =>
    turn(() => ({ text: 'There is no room left for', stopReason: 'model_context_window_exceeded' })),
} as const;

function mapCalls(said: ScriptedTurn, change: (call: ScriptedCall) => ScriptedCall): ScriptedTurn {
  return { ...said, calls: (said.calls ?? []).map(change) };
}

/** Which request meets which fault. */
export class FaultLine {
  readonly #queue: Fault[] = [];
  readonly #byNumber = new Map<number, Fault>();

  /** `at`: the n-th POST /v1/messages, counted from 1; left out: the next one that has none yet. */
  add(fault: Fault, at?: number): void {
    if (at === undefined) this.#queue.push(fault);
    else this.#byNumber.set(at, fault);
  }

  /** Whatever was planned does not come any more. */
  clear(): void {
    this.#queue.length = 0;
    this.#byNumber.clear();
  }

  take(requestNumber: number): Fault | null {
    const planned = this.#byNumber.get(requestNumber);
    this.#byNumber.delete(requestNumber);
    return planned ?? this.#queue.shift() ?? null;
  }
}
