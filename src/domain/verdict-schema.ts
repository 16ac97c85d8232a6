import { z } from 'zod';
import { findJsonObjects } from './extract-json';
import { PRIORITIES } from './invariant';

const MAX_HYPOTHESES = 3;

/** Bounds that a schema for the API cannot carry; `description` tells them to the model, zod holds them. */
const answer = z.object({
  create_ticket: z.boolean(),
  reason: z.string().trim().min(1).max(1_000),
  objective: z.string().trim().min(1).max(300),
  success_criteria: z.string().trim().min(1).max(1_000),
  context: z.string().trim().max(4_000),
  priority: z
    .string()
    .transform((text) => text.trim().toLowerCase())
    .pipe(z.enum(PRIORITIES)),
  suspected_cause: z.string().trim().min(1).max(1_000),
  hypotheses: z
    .array(
      z.object({
        cause: z.string().trim().min(1).max(500),
        evidence: z.array(z.string().trim().min(1).max(20)).max(20),
      }),
    )
    .max(MAX_HYPOTHESES),
  confidence: z.number().min(0).max(1),
});

/** The analyst's answer as a model gives it. */
export type VerdictAnswer = Readonly<z.infer<typeof answer>>;

/** For `output_config.format`, within what structured outputs support: no bounds, all required, nothing else allowed. */
export const VERDICT_JSON_SCHEMA = {
  type: 'object',
  properties: {
    create_ticket: { type: 'boolean', description: 'Whether an agent should work on this failure.' },
    reason: { type: 'string', description: 'Why, or why not. 1 to 1000 characters.' },
    objective: { type: 'string', description: 'What is to be achieved. 1 to 300 characters.' },
    success_criteria: {
      type: 'string',
      description: 'How to see that it is achieved. 1 to 1000 characters.',
    },
    context: {
      type: 'string',
      description: 'What the agent should know, with evidence IDs. At most 4000 characters.',
    },
    priority: { type: 'string', enum: [...PRIORITIES] },
    suspected_cause: { type: 'string', description: 'The most likely cause. 1 to 1000 characters.' },
    hypotheses: {
      type: 'array',
      description: `At most ${MAX_HYPOTHESES} possible causes, most likely first.`,
      items: {
        type: 'object',
        properties: {
          cause: { type: 'string', description: 'One possible cause. 1 to 500 characters.' },
          evidence: {
            type: 'array',
            description: 'IDs of the evidence that supports it, for example "E1". At most 20.',
            items: { type: 'string' },
          },
        },
        required: ['cause', 'evidence'],
        additionalProperties: false,
      },
    },
    confidence: { type: 'number', description: 'In the suspected cause, from 0 to 1.' },
  },
  required: [
    'create_ticket',
    'reason',
    'objective',
    'success_criteria',
    'context',
    'priority',
    'suspected_cause',
    'hypotheses',
    'confidence',
  ],
  additionalProperties: false,
} as const;

export type ParsedVerdict =
  { readonly ok: true; readonly verdict: VerdictAnswer } | { readonly ok: false; readonly problem: string };

/** Reads the answer out of a model's text; other words and code fences around the JSON do not matter. */
export function parseVerdict(text: string): ParsedVerdict {
  let problem = `no JSON object in the answer ${JSON.stringify(text.slice(0, 200))}`;
  for (const candidate of findJsonObjects(text)) {
    const parsed = answer.safeParse(candidate);
    if (parsed.success) return { ok: true, verdict: parsed.data };
    problem = z.prettifyError(parsed.error);
  }
  return { ok: false, problem };
}
