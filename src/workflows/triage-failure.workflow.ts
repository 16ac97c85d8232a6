import { patched, sleep } from '@temporalio/workflow';
import type { Verdict } from '../domain/analyst-rules';
import type { CheckResult } from '../domain/check';
import type { Incident } from '../domain/incident';
import { Analysis } from './analysis';
import { addToOpenTicket, openTicket } from './open-ticket';
import { proof, triage } from './proxies';
import type { TriageInput, TriageResult } from './triage-contract';

const LOOK_AGAIN_EVERY_MS = 5_000;

/**
 * Collects evidence, asks the analyst, and opens the ticket or adds to the open one. The analyst can delay a ticket, never
 * lose one: a model that does not answer in time is not waited for, and after a "no" the invariant is watched, and the
 * ticket opens when it stays down.
 */
export async function TriageFailure({ incident }: TriageInput): Promise<TriageResult> {
  const evidence = await triage.collectEvidence.executeWithOptions(
    { summary: `what happened to ${subject(incident)}?` },
    [incident],
  );
  if (evidence.openTicket != null && (await addToOpenTicket(incident, evidence.openTicket))) {
    return {
      outcome: 'evidence_added',
      ticketId: null,
      reason: `the ticket of ${evidence.openTicket} is open`,
    };
  }
  const rules = await triage.analyzeFailure.executeWithOptions({ summary: 'is this worth a ticket?' }, [
    { incident, evidence },
  ]);
  const openBy = rules.askModel?.openBy;
  const analysis =
    openBy !== undefined && patched('ask-analyst')
      ? await Analysis.start({ incident, evidence, rules, openBy })
      : null;
  const answer = (await analysis?.answerInTime()) ?? null;
  const verdict = answer?.verdict ?? rules;
  if (!verdict.createTicket && (await recoversBy(incident, verdict))) {
    return { outcome: 'recovered', ticketId: null, reason: verdict.reason };
  }
  const { result, run } = await openTicket(incident, evidence, verdict);
  if (answer === null) await analysis?.sendLateTo(run);
  return result;
}

/** Watches a failure that the analyst would not ticket; false once it has lasted too long. */
async function recoversBy(incident: Incident, verdict: Verdict): Promise<boolean> {
  const input = {
    invariantId: incident.invariantId,
    joined: incident.joined.map((check: CheckResult) => check.invariantId),
    service: incident.service,
  };
  // Looks take time too: those who began to watch before counted only the pauses between them.
  const isTimed = patched('watch-by-time');
  const startedMs = Date.now();
  const waitedMs = (looks: number): number =>
    isTimed ? Date.now() - startedMs : looks * LOOK_AGAIN_EVERY_MS;
  for (let looks = 0; waitedMs(looks) < verdict.forceOpenAfterMs; looks += 1) {
    await sleep(LOOK_AGAIN_EVERY_MS);
    const result = await proof.verifyRecovery.executeWithOptions(
      { summary: 'still down?', scheduleToStartTimeout: '24h' },
      [input],
    );
    if (result.recovered) return true;
  }
  return false;
}

function subject(incident: Incident): string {
  return incident.service ?? incident.invariantId;
}
