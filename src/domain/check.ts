import type { Json } from './json';

/**
 * `no_answer`: the target said nothing (refused, reset, silent). `wrong_answer`: it answered, but not as the rule asks.
 * `check_broken`: the check cannot work whatever the target does (unusable condition, unknown name, TLS, unset secret).
 */
export const CHECK_FAILURES = ['no_answer', 'wrong_answer', 'check_broken'] as const;
export type CheckFailure = (typeof CHECK_FAILURES)[number];

/** One probe of one invariant. A failing check is data (`ok: false`), never a thrown error. */
export interface CheckResult {
  readonly invariantId: string;
  /** Revision of the definition that was probed; a result for an older revision is ignored. */
  readonly revision: number;
  /** RFC 3339 UTC with milliseconds, when the probe ended. */
  readonly at: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  /** Values the condition saw: `status`, `value`, `latency_ms`, `connected`, … (body and json left out). */
  readonly resolved: Readonly<Record<string, Json>>;
  /** Why it failed, for people: `connect ECONNREFUSED 127.0.0.1:8001`, `status == 200 is false (status 503)`. */
  readonly error: string | null;
  /** Left out when it holds. */
  readonly failure?: CheckFailure;
}

/**
 * Whether a failed check may have knocked at the wrong door: nobody let it in, or it was told that it asks wrongly. One that
 * was let in and got no answer, or the answer of a broken service, found the right one.
 */
export function looksMisaddressed({ resolved }: CheckResult): boolean {
  const { status, connected } = resolved;
  if (typeof status === 'number' && status > 0) return (status >= 400 && status < 500) || status === 501;
  return connected === false;
}
