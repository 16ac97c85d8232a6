import { z } from 'zod';
import { CliError, EXIT } from './exit-codes';

/** What the commands read of the API's answers; fields they do not show are not looked at. */
const moment = z.string().nullable().default(null);
const label = z.string().nullable().default(null);

export const serviceWire = z.object({
  name: z.string(),
  state: z.string(),
  pid: z.number().nullable().default(null),
  started_at: moment,
  restarts: z.number().default(0),
  ready: z.boolean().default(false),
  desired: z.string().default('running'),
  exit: z
    .object({ code: z.number().nullable(), signal: z.string().nullable(), at: z.string() })
    .nullable()
    .default(null),
});
export type ServiceWire = z.output<typeof serviceWire>;

export const invariantWire = z.object({
  id: z.string(),
  query: z.string(),
  condition: z.string(),
  enabled: z.boolean(),
  service: label,
  priority: z.string(),
  source: z.string().default('api'),
  state: z.string().default('unknown'),
  since: moment,
  flapping: z.boolean().default(false),
  paused_until: moment,
  last_check: z.object({ at: z.string(), ok: z.boolean(), error: label }).nullable().default(null),
  open_ticket_id: label,
});
export type InvariantWire = z.output<typeof invariantWire>;

const tokenCounts = z.object({
  input: z.number().default(0),
  cache_write_5m: z.number().default(0),
  cache_write_1h: z.number().default(0),
  cache_read: z.number().default(0),
  output: z.number().default(0),
});
export type TokensWire = z.output<typeof tokenCounts>;
const tokens = tokenCounts.nullable().default(null);

const turnWire = z.object({
  brain: label,
  model: label,
  tokens,
  usd: z.number().nullable().default(null),
  ended_at: moment,
});
export type TurnWire = z.output<typeof turnWire>;

const ticketFields = {
  id: z.string(),
  invariant_id: label,
  status: z.string(),
  blocked_on: label,
  phase: label,
  resolution: label,
  objective: z.string().default(''),
  priority: z.string().default('medium'),
  brain: label,
  service: label,
  attempt: z.number().default(0),
  created_at: moment,
  closed_at: moment,
  detected_at: moment,
  /** Null: the price is not known. */
  cost: z.number().nullable().default(0),
  tokens,
};
export const ticketWire = z.object(ticketFields);
export type TicketWire = z.output<typeof ticketWire>;

export const ticketDetailWire = z.object({
  ...ticketFields,
  success_criteria: z.string().default(''),
  context: z.string().default(''),
  suspected_cause: label,
  verdict_by: label,
  confidence: z.number().nullable().default(null),
  hypotheses: z.array(z.object({ cause: z.string(), evidence: z.array(z.string()) })).default([]),
  temporal_url: label,
  joined_invariants: z.array(z.string()).default([]),
  brains: z.array(z.string()).default([]),
  turns: z.array(turnWire).default([]),
  escalation: z.object({ at: z.string(), reason: z.string(), report: z.string() }).nullable().default(null),
  evidence: z
    .array(z.object({ id: z.string(), kind: z.string(), title: z.string(), text: z.string() }))
    .default([]),
  notes: z.array(z.object({ at: z.string(), by: z.string(), text: z.string() })).default([]),
  undone: z
    .object({ at: z.string(), by: z.string(), reason: z.string(), files: z.array(z.string()) })
    .nullable()
    .default(null),
  timeline: z
    .array(
      z.object({
        at: z.string(),
        kind: z.string(),
        title: z.string(),
        detail: z.string().default(''),
        ok: z.boolean().nullable().default(null),
      }),
    )
    .default([]),
});
export type TicketDetailWire = z.output<typeof ticketDetailWire>;

export const undoWire = z.object({
  state: z.enum(['done', 'waiting']),
  undone: z.array(z.string()),
  as_found: z.array(z.string()),
  left: z.array(z.object({ path: z.string(), reason: z.string() })),
  detail: z.string(),
});

export const checkWire = z.object({
  at: z.string(),
  ok: z.boolean(),
  latency_ms: z.number(),
  resolved: z.record(z.string(), z.unknown()).default({}),
  error: label,
});

export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: label });

/** Parses an answer of the API; one that makes no sense is a failure of the server, named as such. */
export function parseAnswer<T extends z.ZodType>(schema: T, body: unknown, path: string): z.output<T> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const problem = z.prettifyError(parsed.error).replaceAll(/\s*\n\s*/g, ' ');
  throw new CliError(
    `the web process answered ${path} in a form this command does not know (${problem}); is it the same version?`,
    EXIT.failure,
  );
}
