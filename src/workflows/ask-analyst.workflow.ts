import { ActivityFailure } from '@temporalio/common';
import { CancellationScope, defineSignal, isCancellation, setHandler } from '@temporalio/workflow';
import type { AnalystAnswer, AskAnalystInput } from '../domain/analyst-rules';

import { SIGNALS } from './contract';
import { analyst } from './proxies';
import { sendVerdict } from './send-verdict';
import type { LateNotice } from './triage-contract';

/**
 * Asks the model what a failure is about. A workflow of its own, because the triage must end with the ticket's opening: while
 * it lives the service's next failure is not triaged. An answer that comes too late goes to the ticket as a signal.
 */
export async function AskAnalyst(input: AskAnalystInput): Promise<AnalystAnswer> {
  const late: { notice: LateNotice | null } = { notice: null };
  const asking = new CancellationScope();
  setHandler(defineSignal<[LateNotice]>(SIGNALS.late), (notice) => {
    late.notice ??= notice;
    if (late.notice.run === null) asking.cancel();
  });
  try {
    const answer = await asking.run(() => ask(input));
    if (late.notice?.run) await sendVerdict(late.notice.run, answer);
    return answer;
  } catch (error) {
    if (!isCancellation(error) || late.notice?.run !== null) throw error;
    return { verdict: null, why: 'no ticket waits for it' };
  }
}

async function ask(input: AskAnalystInput): Promise<AnalystAnswer> {
  try {
    return await analyst.askAnalyst.executeWithOptions({ summary: 'the model reads the evidence' }, [input]);
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    return { verdict: null, why: error.cause?.message ?? error.message };
  }
}
