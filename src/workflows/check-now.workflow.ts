import { allHandlersFinished, condition, defineSignal, setHandler } from '@temporalio/workflow';
import { actOnSweep } from './act-on-sweep';
import type { CheckNowInput, CheckNowResult, CheckTarget, RecheckRequest } from './contract';
import { SIGNALS } from './contract';
import { sweep } from './proxies';

/**
 * Checks one service or invariant at once. Started by `signalWithStart`, so that a request while it runs is never lost: it
 * checks again until no request is unread, and returns the checks of the last round, which began after the last request.
 */
export async function CheckNow({ target }: CheckNowInput): Promise<CheckNowResult> {
  const unread: RecheckRequest['cause'][] = [];
  setHandler(defineSignal<[RecheckRequest]>(SIGNALS.recheck), ({ cause }) => void unread.push(cause));
  // The first request may be delivered just after the start.
  await condition(() => unread.length > 0, '1s');
  let result: CheckNowResult;
  do {
    const causes = unread.splice(0);
    const report = await sweep.checkInvariants.executeWithOptions(
      { summary: `check ${describe(target)} (${[...new Set(causes)].join(', ') || 'person'})` },
      [{ scope: target, confirmed: causes.includes('exit'), includeChecks: true }],
    );
    await actOnSweep(report);
    result = { checks: report.checks };
    await condition(allHandlersFinished);
    // The server refuses to complete a run with a signal it has not delivered: that one wakes us here once more.
  } while (unread.length > 0);
  return result;
}

function describe(target: CheckTarget): string {
  return target.kind === 'service' ? target.service : target.invariantId;
}
