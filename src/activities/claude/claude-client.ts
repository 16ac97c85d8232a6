import Anthropic from '@anthropic-ai/sdk';

/** The SDK's client as a durable activity needs it: Temporal retries, so the client does not; nothing read from elsewhere. */
export function createClaudeClient(options: {
  readonly apiKey: string;
  /** The part before `/v1`. */
  readonly baseUrl: string;
  /** Until the reply begins. */
  readonly timeoutMs: number;
}): Anthropic {
  return new Anthropic({
    apiKey: options.apiKey,
    baseURL: options.baseUrl,
    timeout: options.timeoutMs,
    maxRetries: 0,
    // It would print to stderr beside our own log; failures are told by the activity.
    logLevel: 'off',
    openTelemetry: false,
  });
}
