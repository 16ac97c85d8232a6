import { z } from 'zod';
import type { CheckResult } from '../domain/check';

/** What the monitor process keeps in memory. */
export interface MonitorSamples {
  readonly items: Readonly<Record<string, readonly CheckResult[]>>;
  readonly lastSweepAt: string | null;
  /** Why checks cannot run at the moment; null while they can. */
  readonly lastError: string | null;
}

const check = z.object({
  invariantId: z.string(),
  revision: z.number(),
  at: z.string(),
  ok: z.boolean(),
  latencyMs: z.number(),
  resolved: z.record(z.string(), z.json()),
  error: z.string().nullable(),
});

const answer = z
  .object({
    items: z.record(z.string(), z.array(check)),
    last_sweep_at: z.string().nullable(),
    last_error: z.string().nullable().default(null),
  })
  .transform((wire): MonitorSamples => ({
    items: wire.items,
    lastSweepAt: wire.last_sweep_at,
    lastError: wire.last_error,
  }));

/** The monitor's samples from its loopback port; null when it does not answer sensibly: no samples is not an error. */
export async function readMonitorSamples(
  monitorUrl: string | null,
  timeoutMs = 1_000,
): Promise<MonitorSamples | null> {
  if (monitorUrl === null) return null;
  try {
    const response = await fetch(new URL('/samples', monitorUrl), { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok) return null;
    const parsed = answer.safeParse(await response.json());
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
