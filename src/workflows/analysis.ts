import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { condition, ParentClosePolicy, startChild } from '@temporalio/workflow';
import type { AnalystAnswer, AskAnalystInput } from '../domain/analyst-rules';
import type { AskAnalyst } from './ask-analyst.workflow';

import { analysisWorkflowId, QUEUES, SIGNALS, WORKFLOWS } from './contract';
import { isGone } from './is-gone';
import { sendVerdict } from './send-verdict';
import type { LateNotice, TicketRun } from './triage-contract';

/** Whatever the clocks say: a ticket waits no longer for a verdict. */
const MAX_WAIT_MS = 60_000;

/** A model that was asked beside the triage: its answer counts while the ticket can wait for it, and reaches it afterwards. */
export class Analysis {
  private answer: AnalystAnswer | null = null;
  private readonly settled: Promise<void>;

  private constructor(
    private readonly child: ChildWorkflowHandle<typeof AskAnalyst>,
    private readonly openBy: string,
  ) {
    this.settled = child.result().then(
      (answer) => void (this.answer = answer),
      () => void (this.answer = { verdict: null, why: 'the analysis failed' }),
    );
  }

  /** Null when this ticket's failure is being analysed already. */
  static async start(input: AskAnalystInput): Promise<Analysis | null> {
    try {
      const child = await startChild<typeof AskAnalyst>(WORKFLOWS.askAnalyst, {
        workflowId: analysisWorkflowId(input.evidence.ticketId),
        taskQueue: QUEUES.monitor,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        staticSummary: `what is the matter with ${input.incident.invariantId}?`,
      });
      return new Analysis(child, input.openBy);
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError) return null;
      throw error;
    }
  }

  /** The answer, when it comes while the ticket can wait. */
  async answerInTime(): Promise<AnalystAnswer | null> {
    const waitMs = Math.min(Date.parse(this.openBy) - Date.now(), MAX_WAIT_MS);
    if (waitMs > 0) await condition(() => this.answer !== null, waitMs);
    return this.answer;
  }

  /** Nobody waits any more: the answer goes to the ticket that opened without it; null when none did. */
  async sendLateTo(run: TicketRun | null): Promise<void> {
    if (this.answer === null) {
      const notice: LateNotice = { run };
      try {
        return await this.child.signal<[LateNotice]>(SIGNALS.late, notice);
      } catch (error) {
        // It has ended in this moment.
        if (!isGone(error)) throw error;
        await this.settled;
      }
    }
    if (run && this.answer) await sendVerdict(run, this.answer);
  }
}
