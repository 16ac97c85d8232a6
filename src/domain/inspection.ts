import { z } from 'zod';
import { CHECK_FAILURES } from './check';
import { portOwnerSchema } from './port-owner';
import { CHANGES } from './known-good';
import { serviceStatusSchema } from './service-status-schema';

const check = z.object({
  invariantId: z.string(),
  revision: z.number(),
  at: z.string(),
  ok: z.boolean(),
  latencyMs: z.number(),
  resolved: z.record(z.string(), z.unknown()),
  error: z.string().nullable(),
  failure: z.enum(CHECK_FAILURES).optional(),
});

const inspection = z.object({
  /** Null: the supervisor does not know the service. */
  service: serviceStatusSchema.nullable(),
  /** Whether the harness can start and stop it. */
  controllable: z.boolean(),
  /** Linux state letter: `T` is stopped by a signal, `Z` a zombie; null where /proc cannot be read. */
  process: z.object({ state: z.string().nullable() }).nullable(),
  /** Alive and within its boot time (`ready.timeout`). */
  starting: z.boolean(),
  /** The ticket's invariant, probed right now; null when it could not be. */
  invariant: check.nullable(),
  /** Who answers where the invariant, else `ready.url`, points to; null: nobody, or it cannot be known. */
  portOwner: portOwnerSchema.nullable().default(null),
  /** The readiness URL answers while the invariant, looked at before and after, fails in the way of a wrong address. */
  answersElsewhere: z.boolean().default(false),
  lastLines: z.array(z.string()),
  /** Editable files that differ from when the service last worked with them. */
  changed: z
    .array(z.object({ path: z.string(), change: z.enum(CHANGES), sha256: z.string().nullable() }))
    .default([]),
});

/** What `inspect_service` reports as data. */
export type Inspection = z.infer<typeof inspection>;

/** Null when the data is not an inspection. */
export function parseInspection(data: unknown): Inspection | null {
  const parsed = inspection.safeParse(data);
  return parsed.success ? parsed.data : null;
}
