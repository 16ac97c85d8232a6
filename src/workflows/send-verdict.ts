import { getExternalWorkflowHandle } from '@temporalio/workflow';
import type { AnalystAnswer } from '../domain/analyst-rules';

import { SIGNALS } from './contract';
import { ignoringGone } from './is-gone';
import type { LateVerdict, TicketRun } from './triage-contract';

/** Tells a ticket that opened without the model's verdict what it was. A ticket that has closed meanwhile needs it no more. */
export async function sendVerdict({ workflowId, runId }: TicketRun, answer: AnalystAnswer): Promise<void> {
  if (answer.verdict === null) return;
  const { news: text, verdict } = answer;
  const by = verdict.by ?? 'claude';
  const { usd } = verdict;
  const late: LateVerdict = {
    signature: `verdict by ${by}`,
    by,
    text,
    ...(usd === undefined ? {} : { usd }),
  };
  await ignoringGone(() => getExternalWorkflowHandle(workflowId, runId).signal(SIGNALS.verdict, late));
}
