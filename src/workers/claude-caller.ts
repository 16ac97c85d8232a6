import type { CallClaude } from '../activities/claude/call-claude';
import { createCallClaude } from '../activities/claude/call-claude';
import { createClaudeClient } from '../activities/claude/claude-client';
import type { HarnessConfig } from '../config/config';
import type { Redact } from '../domain/redaction';

const REPLY_BEGINS_WITHIN_MS = 60_000;
const SILENCE_LIMIT_MS = 30_000;
const CIRCUIT = { failures: 5, openMs: 30_000 };

/** The one way of this process to the Messages API; null without a key. To be made once, because it holds the circuit breaker. */
export function createClaudeCaller({ claude }: HarnessConfig, redact: Redact): CallClaude | null {
  if (claude.apiKey === undefined) return null;
  const { apiKey, baseUrl } = claude;
  return createCallClaude({
    client: createClaudeClient({ apiKey, baseUrl, timeoutMs: REPLY_BEGINS_WITHIN_MS }),
    redact,
    now: () => new Date(),
    monotonicMs: () => performance.now(),
    circuit: CIRCUIT,
    silenceLimitMs: SILENCE_LIMIT_MS,
  });
}
