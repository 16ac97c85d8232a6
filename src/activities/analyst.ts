import type { AnalyzeInput, RuleVerdict } from '../domain/analyst-rules';
import { ruleVerdict } from '../domain/analyst-rules';

export interface AnalystDeps {
  /** Description of an invariant for people; empty when it has none. */
  readonly describeInvariant: (invariantId: string) => Promise<string>;
  readonly forceOpenAfterMs: number;
  /** How long after the first failed check a ticket waits for the model's verdict; null: no model is asked. */
  readonly openByMs: number | null;
  readonly now: () => Date;
}

/** The activity `analyzeFailure`, answered by rules. */
export function createAnalyzeFailure(deps: AnalystDeps) {
  const { describeInvariant, forceOpenAfterMs, openByMs } = deps;
  return async function analyzeFailure(input: AnalyzeInput): Promise<RuleVerdict> {
    const description = await describeInvariant(input.incident.invariantId);
    const verdict = ruleVerdict(input.incident, input.evidence, { description, forceOpenAfterMs });
    if (openByMs === null) return { ...verdict, askModel: null };
    // A clock that was set back since the failure must not make the ticket wait for longer.
    const from = Math.min(Date.parse(input.incident.detectedAt), deps.now().getTime());
    return { ...verdict, askModel: { openBy: new Date(from + openByMs).toISOString() } };
  };
}
