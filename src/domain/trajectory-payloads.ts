import { z } from 'zod';
import type { Json } from './json';
import { PRIORITIES } from './invariant';
import { TICKET_STATUSES } from './ticket';

/*
 * Readers of the payloads in a ticket's history. Another version of the harness may have written them, so each is as
 * lenient as it can be without inventing facts; null means that it cannot be read.
 */

const line = z.string().catch('');
const record = z.record(z.string(), z.json());
const brain = z.enum(['runbook', 'claude']).nullable().catch(null);

const check = z.object({
  invariantId: z.string(),
  revision: z.number().catch(0),
  at: line,
  ok: z.boolean(),
  latencyMs: z.number().catch(0),
  resolved: record.catch({}),
  error: z.string().nullable().catch(null),
});

const evidenceItem = z.object({
  id: z.string(),
  kind: z.enum(['check', 'process', 'logs', 'metrics', 'report']).catch('report'),
  at: line,
  title: line,
  text: line,
});

const hypothesis = z.object({ cause: line, evidence: z.array(z.string()).catch([]) });

const ticket = z.object({
  id: z.string(),
  invariantId: z.string(),
  service: z.string().nullable().catch(null),
  objective: line,
  successCriteria: line,
  context: line,
  priority: z.enum(PRIORITIES).catch('medium'),
  suspectedCause: line,
  confidence: z.number().catch(0),
  sourceType: z.enum(['monitor', 'manual']).catch('monitor'),
  sourceId: line,
  detectedAt: line,
  createdAt: line,
  joinedInvariants: z.array(z.string()).catch([]),
  evidence: z.array(evidenceItem).catch([]),
  firstCheck: check.nullable().catch(null),
  verdictBy: z.enum(['runbook', 'claude']).catch('runbook'),
  hypotheses: z.array(hypothesis).catch([]),
  relapseOf: z.string().nullable().catch(null),
});

const call = z.object({ id: z.string(), name: z.string(), input: record.catch({}) });
const decision = z.object({ verdict: z.enum(['allow', 'deny']), rule: line, reason: line });
const toolResult = z.object({
  callId: line,
  tool: line,
  isError: z.boolean(),
  content: line,
  data: z.json().catch(null),
});
const count = z.number().catch(0);
const model = z.object({
  name: z.string(),
  stopReason: z.string().nullable().catch(null),
  requestId: z.string().nullable().catch(null),
  tokens: z.object({
    input: count,
    cacheWrite5m: count,
    cacheWrite1h: count,
    cacheRead: count,
    output: count,
  }),
  usd: z.number().nullable().catch(null),
});
const proposal = z.object({
  brain,
  text: line,
  calls: z.array(call).catch([]),
  decisions: z.array(decision.nullable().catch(null)).catch([]),
  unrun: z.array(toolResult).catch([]),
  isFinished: z.boolean().catch(false),
  handOver: z.string().nullable().catch(null),
  model: model.nullable().catch(null),
});
/** The calls in a model's reply, also those that are not run. */
const reply = z.object({
  model: z.object({ content: z.array(call.nullable().catch(null)) }),
});

const reader =
  <T>(schema: z.ZodType<T>) =>
  (value: Json | undefined): T | null => {
    const parsed = schema.safeParse(value);
    return parsed.success ? parsed.data : null;
  };

export const readTicket = reader(z.object({ ticket }).transform((input) => input.ticket));
export const readClaim = reader(z.object({ agent: line, brain }));
export const readProposeInput = reader(
  z.object({
    turn: z.number().catch(0),
    attempt: z.number().catch(1),
    brain,
    notes: z.array(z.string()).catch([]),
  }),
);
export type ReadProposal = z.output<typeof proposal>;
export const readProposal = reader(proposal);
export const readReplyCalls = reader(
  reply.transform(({ model: { content } }) => content.flatMap((block) => block ?? [])),
);
export const readCallInput = reader(z.object({ call }).transform((input) => input.call));
export const readDecision = reader(decision);
export const readToolResult = reader(toolResult);
export const readProof = reader(
  z.object({ recovered: z.boolean(), successes: z.number().catch(0), failing: z.array(check).catch([]) }),
);
export const readEvidence = reader(z.object({ signature: line, check }));
export const readHint = reader(z.object({ check }).transform((input) => input.check));
export const readNote = reader(z.object({ at: line, by: line, text: z.string(), signature: line }));
export const readVerdict = reader(z.object({ by: line, text: z.string(), signature: line }));
export const readPerson = reader(z.object({ by: line, reason: line, mode: line }));

export const readStatus = reader(z.enum(TICKET_STATUSES));
export const readPhase = reader(z.enum(['investigating', 'acting', 'verifying']));
export const readResolution = reader(z.enum(['fixed', 'self_recovered', 'dismissed', 'cancelled']));
export const readBrain = reader(z.enum(['runbook', 'claude']));
export const readBlockedOn = reader(z.enum(['approval', 'dependency', 'person', 'monitor', 'budget']));
export const readNumber = reader(z.number());
export const readText = reader(z.string());
export const readTexts = reader(z.array(z.string()));
