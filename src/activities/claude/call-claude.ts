import type Anthropic from '@anthropic-ai/sdk';
import { ApplicationFailure } from '@temporalio/common';
import type { CircuitOptions } from '../../domain/circuit-breaker';
import { admit, CLOSED_CIRCUIT, settle } from '../../domain/circuit-breaker';
import { FAILURES } from '../../domain/failures';
import type { ModelErrorFacts, ModelFailure } from '../../domain/model-failure';
import { classifyModelFailure } from '../../domain/model-failure';
import type { ModelUsage } from '../../domain/model-prices';
import type { Redact } from '../../domain/redaction';
import { readErrorFacts } from './error-facts';

export interface CallClaudeDeps {
  readonly client: Pick<Anthropic, 'messages'>;
  readonly redact: Redact;
  readonly now: () => Date;
  /** A clock that never goes back. */
  readonly monotonicMs: () => number;
  readonly circuit: CircuitOptions;
  /** A stream that says nothing for so long is taken for dead; the client's own time limit ends with the headers. */
  readonly silenceLimitMs: number;
}

interface ClaudeReply {
  /** Its content goes back to the API as it is. */
  readonly message: Anthropic.Message;
  /** For a report to Anthropic; the SDK leaves it out of the message. */
  readonly requestId: string | null;
}

/** Details of a failed call: for people, and for the budget when the API had begun to answer. */
interface ClaudeFailureDetails {
  readonly requestId: string | null;
  readonly advice: string;
  readonly usage: ModelUsage | null;
  /** What the server asked for, or the pause for a dead one; null leaves it to the retry policy. */
  readonly retryAfterMs: number | null;
}

/** The details of a call that failed; empty ones for another error. */
export function detailsOf(error: unknown): ClaudeFailureDetails {
  const [details] = error instanceof ApplicationFailure ? (error.details ?? []) : [];
  return {
    requestId: null,
    advice: '',
    usage: null,
    retryAfterMs: null,
    ...(details as Partial<ClaudeFailureDetails> | undefined),
  };
}

export type CallClaude = (
  params: Anthropic.MessageStreamParams,
  options: {
    readonly signal: AbortSignal;
    readonly onEvent: () => void;
    /** The call is given up; what the API had counted by then is paid all the same. */
    readonly onAbandoned?: (usage: ModelUsage | null) => Promise<void>;
  },
) => Promise<ClaudeReply>;

/**
 * One streamed call to the Messages API, for inside an activity that heartbeats on a timer (`onEvent` adds one per event: the
 * model may think in silence). Throws ApplicationFailure of a type of `classifyModelFailure` with ClaudeFailureDetails, or
 * the signal's reason when it is aborted. One circuit breaker serves all calls of what this returns: make it once a process.
 */
export function createCallClaude(deps: CallClaudeDeps): CallClaude {
  let circuit = CLOSED_CIRCUIT;
  const close = (outcome: 'answered' | 'failed' | 'abandoned'): void => {
    circuit = settle(circuit, outcome, deps.monotonicMs(), deps.circuit);
  };
  return async (params, { signal, onEvent, onAbandoned }) => {
    signal.throwIfAborted();
    const admission = admit(circuit, deps.monotonicMs(), deps.circuit);
    if (!admission.admitted) throw notAsked(admission.retryAfterMs);
    circuit = admission.state;
    const call = new StreamedCall(deps, params, signal);
    try {
      const reply = await call.run(onEvent);
      close('answered');
      return reply;
    } catch (error) {
      if (signal.aborted) {
        close('abandoned');
        await onAbandoned?.(call.usage);
        throw signal.reason;
      }
      const { facts, failure } = classify(call.factsOf(error), deps.now());
      close(outcomeOf(failure));
      throw toApplicationFailure(failure, {
        message: deps.redact(facts.message),
        details: {
          requestId: facts.requestId ?? call.requestId,
          advice: failure.advice,
          usage: call.usage,
          retryAfterMs: failure.retryAfterMs,
        },
      });
    }
  };
}

class StreamedCall {
  /** What the API had counted so far; null before its first event. */
  usage: ModelUsage | null = null;
  private readonly stream;
  private readonly silence = new AbortController();
  private hasBegun = false;
  private isComplete = false;

  constructor(
    private readonly deps: CallClaudeDeps,
    params: Anthropic.MessageStreamParams,
    signal: AbortSignal,
  ) {
    this.stream = deps.client.messages.stream(params, {
      signal: AbortSignal.any([signal, this.silence.signal]),
      maxRetries: 0,
    });
  }

  get requestId(): string | null {
    return this.stream.request_id ?? null;
  }

  async run(onEvent: () => void): Promise<ClaudeReply> {
    let timer: NodeJS.Timeout | undefined;
    const listen = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => this.silence.abort(), this.deps.silenceLimitMs);
    };
    this.stream.on('connect', () => {
      this.hasBegun = true;
      listen();
    });
    this.stream.on('streamEvent', (event, { usage }) => {
      this.usage = usage;
      this.isComplete = event.type === 'message_stop';
      listen();
      onEvent();
    });
    try {
      const message = await this.stream.finalMessage();
      return { message, requestId: this.requestId };
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * The SDK's facts, and two that it does not tell: the stream went silent, or it was cut, ended politely or became garbage
   * before its last event (the SDK throws its plainest error for all three).
   */
  factsOf(error: unknown): ModelErrorFacts {
    const facts = readErrorFacts(error);
    if (this.silence.signal.aborted) {
      return { ...facts, kind: 'timeout', message: `no event within ${this.deps.silenceLimitMs} ms` };
    }
    if (facts.kind === 'client_bug' && this.hasBegun && !this.isComplete) {
      return {
        ...facts,
        kind: 'connection',
        message: `the stream ended before the answer did: ${facts.message}`,
      };
    }
    return facts;
  }
}

/** An abort that nobody here asked for is a lost connection. */
function classify(
  facts: ModelErrorFacts,
  now: Date,
): { readonly facts: ModelErrorFacts; readonly failure: ModelFailure } {
  const { kind } = facts;
  return {
    facts,
    failure: classifyModelFailure({ ...facts, kind: kind === 'abort' ? 'connection' : kind }, now),
  };
}

/** Whoever is told no has reached a living API; a mistake on our side tells nothing of it. */
function outcomeOf({ type }: ModelFailure): 'answered' | 'failed' | 'abandoned' {
  if (type === FAILURES.claudeClientBug) return 'abandoned';
  return type === FAILURES.claudeUnavailable || type === FAILURES.claudeUnreachable ? 'failed' : 'answered';
}

function toApplicationFailure(
  { type, retryable, retryAfterMs }: ModelFailure,
  { message, details }: { readonly message: string; readonly details: ClaudeFailureDetails },
): ApplicationFailure {
  return ApplicationFailure.create({
    type,
    message,
    nonRetryable: !retryable,
    details: [details],
    ...(retryable && retryAfterMs !== null ? { nextRetryDelay: retryAfterMs } : {}),
  });
}

function notAsked(retryAfterMs: number): ApplicationFailure {
  const failure = { type: FAILURES.claudeUnavailable, retryable: true, retryAfterMs, advice: '' };
  return toApplicationFailure(failure, {
    message: `the API failed several times in a row; it is not asked again for ${retryAfterMs} ms`,
    details: {
      requestId: null,
      advice: 'It is tried again by itself when the pause is over.',
      usage: null,
      retryAfterMs,
    },
  });
}
