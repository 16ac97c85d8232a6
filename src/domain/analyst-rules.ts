import type { Incident } from './incident';
import type { Priority } from './invariant';
import type { Brain, EvidenceItem, Hypothesis } from './ticket';

/** Facts about one incident, collected once when it is triaged. */
export interface EvidenceBundle {
  readonly ticketId: string;
  readonly at: string;
  readonly items: readonly EvidenceItem[];
  /** The ticket that this failure is a relapse of; absent in bundles of earlier versions. */
  readonly relapseOf?: string | null;
  /** Recent repairs of the service that did not last, this failure's included; absent likewise. */
  readonly relapses?: number;
  /** The invariant whose open ticket is about this service already; null or absent when there is none. */
  readonly openTicket?: string | null;
}

/** The analyst's answer, whoever gave it. */
export interface Verdict {
  /** Absent in histories of earlier versions: rules gave it. */
  readonly by?: Brain;
  readonly createTicket: boolean;
  readonly reason: string;
  readonly objective: string;
  readonly successCriteria: string;
  readonly context: string;
  readonly suspectedCause: string;
  readonly hypotheses?: readonly Hypothesis[];
  /** 0 to 1. */
  readonly confidence: number;
  /** Left out: the incident's own. */
  readonly priority?: Priority;
  /** What a model took for it, USD; left out when it is not known. */
  readonly usd?: number;
  /** After a "no": the ticket opens anyway when the invariant is still down by then. */
  readonly forceOpenAfterMs: number;
}

/** The verdict of rules, and whether a model is asked as well. */
export interface RuleVerdict extends Verdict {
  /** `openBy`: how long the ticket waits for the model's answer, RFC 3339; absent in histories of earlier versions. */
  readonly askModel?: { readonly openBy: string } | null;
}

/** What came of asking a model. `news`: the verdict as text, for a ticket that did not wait for it. */
export type AnalystAnswer =
  { readonly verdict: Verdict; readonly news: string } | { readonly verdict: null; readonly why: string };

export interface AnalyzeInput {
  readonly incident: Incident;
  readonly evidence: EvidenceBundle;
}

export interface AskAnalystInput extends AnalyzeInput {
  /** What holds unless the model says otherwise. */
  readonly rules: RuleVerdict;
  /** The ticket opens then, RFC 3339. */
  readonly openBy: string;
}

/** The analyst without a model: every confirmed failure deserves a ticket; the cause is read off the process and the check. */
export function ruleVerdict(
  incident: Incident,
  evidence: EvidenceBundle,
  options: { readonly description: string; readonly forceOpenAfterMs: number },
): Verdict {
  const subject = incident.service ?? incident.invariantId;
  const joined = incident.joined.map((check) => check.invariantId);
  const process = evidence.items.find((item) => item.kind === 'process');
  return {
    by: 'runbook',
    createTicket: true,
    reason: `${incident.invariantId} is confirmed down: ${incident.check.error ?? 'the condition is false'}`,
    objective: `Bring ${subject} back: ${options.description || `${incident.invariantId} holds again`}`,
    successCriteria: `${[incident.invariantId, ...joined].join(', ')} ${joined.length > 0 ? 'hold' : 'holds'} again, and no other invariant of ${subject} is broken.`,
    context: evidence.items.map((item) => `[${item.id}] ${item.title}`).join('\n'),
    suspectedCause: suspectedCause(incident, process?.title ?? null),
    confidence: process ? 0.8 : 0.5,
    forceOpenAfterMs: options.forceOpenAfterMs,
  };
}

function suspectedCause(incident: Incident, process: string | null): string {
  const seen = incident.check.error ?? 'the condition is false';
  return process ? `${process}; the check saw: ${seen}` : `The check saw: ${seen}`;
}
