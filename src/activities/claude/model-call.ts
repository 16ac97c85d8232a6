import type { HarnessConfig } from '../../config/config';
import type { Redact } from '../../domain/redaction';
import type { CallClaude } from './call-claude';
import { createCallClaude } from './call-claude';
import { createClaudeClient } from './claude-client';

/**
 * Until a reply begins, and between two of its events: streams of the API are never silent for longer. A server on an
 * ordinary machine reads a long prompt for minutes before it says anything.
 */
const SILENCE_MS = { full: 20_000, plain: 300_000 } as const;
/** So many tickets may find a dead API in vain before the next ones do not even ask. */
const CIRCUIT = { failures: 5, openMs: 30_000 };

/** The call to the model as this process makes it, once for all that think in it; null without a key. */
export function createModelCall({
  claude,
  profile,
  redact,
  now,
}: {
  readonly claude: HarnessConfig['claude'];
  readonly profile: keyof typeof SILENCE_MS;
  readonly redact: Redact;
  readonly now: () => Date;
}): CallClaude | null {
  const { apiKey, baseUrl } = claude;
  if (apiKey === undefined) return null;
  return createCallClaude({
    client: createClaudeClient({ apiKey, baseUrl, timeoutMs: SILENCE_MS[profile] }),
    redact,
    now,
    monotonicMs: () => performance.now(),
    circuit: CIRCUIT,
    silenceLimitMs: SILENCE_MS[profile],
  });
}
