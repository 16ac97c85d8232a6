import type { CheckResult } from './check';
import type { PortOwner } from './port-owner';
import { describeStranger } from './port-owner';
import { HUNG_AFTER_MS } from './runbook';
import type { ServiceStatus } from './service-state';
import type { ToolCall } from './tool';

/** What is known right before a call acts. */
export interface ReasonToAct {
  readonly call: ToolCall;
  /** Null: the supervisor does not know it. */
  readonly service: ServiceStatus | null;
  /** The ticket's invariant, probed just now; null when it could not be. */
  readonly invariant: CheckResult | null;
  readonly starting: boolean;
  readonly portOwner: PortOwner | null;
  readonly answersElsewhere: boolean;
  /** How long the ticket's failure lasts. */
  readonly failingMs: number;
  /** Recent repairs of the service that did not last, and after how many a person is asked. */
  readonly relapses: { readonly count: number; readonly limit: number };
}

/**
 * Why an action that seemed right a while ago is not done now, and what to do instead; null when it is done. The runbook's
 * ladder holds the same rules by its order; here they bind a model, which may decide in any order and takes its time.
 */
export function whyNotAct(now: ReasonToAct): string | null {
  if (now.invariant?.ok === true) {
    return 'the invariant holds again, so there is nothing to repair; propose update_ticket_status {"status":"completed"}';
  }
  return now.call.name === 'service_control' && now.call.input['action'] !== 'status'
    ? whyNotControl(now)
    : null;
}

function whyNotControl(now: ReasonToAct): string | null {
  const { service, invariant, portOwner, relapses } = now;
  if (service?.desired === 'stopped')
    return `a person stopped ${service.name}, so it stays stopped; ${HAND_OVER}`;
  if (portOwner?.ours === false) {
    return `${describeStranger(portOwner, service?.name ?? 'it')}, and a start would fail; ${HAND_OVER}`;
  }
  if (now.answersElsewhere)
    return `its readiness URL answers, so the check itself may be wrong; ${HAND_OVER}`;
  if (relapses.count > relapses.limit) {
    return `it was repaired ${relapses.count} times and failed again soon after each; ${HAND_OVER}`;
  }
  if (now.starting) return `it is within its boot time; ${wait(5)}`;
  const isSilent = service?.pid != null && invariant?.failure === 'no_answer';
  const leftMs = HUNG_AFTER_MS - now.failingMs;
  return isSilent && leftMs > 0
    ? `it is alive and silent for a moment only, which may heal itself; ${wait(Math.ceil(leftMs / 1_000))}`
    : null;
}

const HAND_OVER = 'hand over to a person with update_ticket_status {"status":"blocked"}';

function wait(seconds: number): string {
  return `wait for it with inspect_service and "wait_s": ${seconds}`;
}
