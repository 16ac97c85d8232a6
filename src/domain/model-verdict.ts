import type { AnalystAnswer, Verdict } from './analyst-rules';
import type { Hypothesis } from './ticket';
import type { VerdictAnswer } from './verdict-schema';

const UNCITED = '(no evidence cited)';
const EVIDENCE_ID = /\bE\d+\b/g;

/**
 * A model's answer as the ticket takes it. Whatever claims something must name evidence that was really collected: a claim
 * that names none, or some that does not exist, says so itself. `clean` is applied to every text.
 */
export function toAnalystAnswer(
  answer: VerdictAnswer,
  options: {
    readonly evidenceIds: readonly string[];
    readonly forceOpenAfterMs: number;
    readonly clean: (text: string) => string;
  },
): AnalystAnswer {
  const { clean, forceOpenAfterMs } = options;
  const known = new Set(options.evidenceIds);
  const marked = (text: string): string => markUncited(clean(text), known);
  const verdict: Verdict = {
    by: 'claude',
    createTicket: answer.create_ticket,
    reason: marked(answer.reason),
    objective: clean(answer.objective),
    successCriteria: clean(answer.success_criteria),
    context: answer.context.split('\n').map(marked).join('\n'),
    suspectedCause: marked(answer.suspected_cause),
    hypotheses: answer.hypotheses.map(({ cause, evidence }) => toHypothesis(clean(cause), evidence, known)),
    confidence: answer.confidence,
    priority: answer.priority,
    forceOpenAfterMs,
  };
  return { verdict, news: describeVerdict(verdict) };
}

function markUncited(text: string, known: ReadonlySet<string>): string {
  if (text.trim() === '') return text;
  const ids = text.match(EVIDENCE_ID) ?? [];
  return ids.length > 0 && ids.every((id) => known.has(id)) ? text : `${text} ${UNCITED}`;
}

function toHypothesis(cause: string, cited: readonly string[], known: ReadonlySet<string>): Hypothesis {
  const evidence = cited.filter((id) => known.has(id));
  const isCited = evidence.length > 0 && evidence.length === cited.length;
  return { cause: isCited ? cause : `${cause} ${UNCITED}`, evidence };
}

/** For a ticket that is open already: what its brain and the people who read it should hear. */
function describeVerdict(verdict: Verdict): string {
  const { createTicket, suspectedCause, confidence, hypotheses = [], context, reason } = verdict;
  const causes = hypotheses.map(
    ({ cause, evidence }) => `- ${cause}${evidence.length > 0 ? ` [${evidence.join(', ')}]` : ''}`,
  );
  return [
    `The analyst's verdict, which came after the ticket had opened: ${suspectedCause} (${Math.round(confidence * 100)} % sure)`,
    ...(createTicket ? [] : [`It would have opened no ticket: ${reason}`]),
    ...(causes.length > 0 ? ['Possible causes:', ...causes] : []),
    ...(context === '' ? [] : ['What it thinks worth knowing:', context]),
  ].join('\n');
}
