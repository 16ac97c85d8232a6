import { exampleOf } from './example-of-schema';
import type { ClaudeRequest } from './request';
import { userTextOf } from './request';
import { ScriptProblem } from './script';
import type { ScriptedTurn } from './script';

/** The answer to a request with `output_config.format`: fits the schema and cites the evidence (`E1`, `E2`, …) of the prompt. */
export function defaultVerdict(request: ClaudeRequest): ScriptedTurn {
  const schema = request.output_config?.format?.schema;
  if (!schema) throw new ScriptProblem('a verdict needs output_config.format');
  const evidenceIds = [...new Set(userTextOf(request).match(/\bE\d+\b/g) ?? [])];
  return {
    thinking: `The evidence is ${evidenceIds.join(', ') || 'empty'}.`,
    json: JSON.stringify(exampleOf(schema, evidenceIds)),
  };
}
