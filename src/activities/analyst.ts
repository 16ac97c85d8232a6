import type { EvidenceBundle, Verdict } from '../domain/analyst-rules';
import { ruleVerdict } from '../domain/analyst-rules';
import type { Incident } from '../domain/incident';

export interface AnalystDeps {
  /** Description of an invariant for people; empty when it has none. */
  readonly describeInvariant: (invariantId: string) => Promise<string>;
  readonly forceOpenAfterMs: number;
}

/** The activity `analyzeFailure`, answered by rules. */
export function createAnalyzeFailure({ describeInvariant, forceOpenAfterMs }: AnalystDeps) {
  return async function analyzeFailure(input: {
    readonly incident: Incident;
    readonly evidence: EvidenceBundle;
  }): Promise<Verdict> {
    const description = await describeInvariant(input.incident.invariantId);
    return ruleVerdict(input.incident, input.evidence, { description, forceOpenAfterMs });
  };
}
