import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { decodeHistory } from '../../src/client/history';
import type { HistoryEvent } from '../../src/domain/history-event';
import type { Moment, PendingActivity, Step, StepName } from '../support/ticket-steps';
import { MOMENTS, momentOf, STEP_NAMES, STEPS } from '../support/ticket-steps';

/** A ticket of a service that was killed, from its first event to its last. */
const FILE = join(__dirname, '../replay/histories/ticket-decided-with-the-proposal.json');
const whole = decodeHistory(historyFromJSON(JSON.parse(readFileSync(FILE, 'utf8'))));

interface Seen {
  readonly history: readonly HistoryEvent[];
  readonly pending: readonly PendingActivity[];
}

const isTaskStart = (event: HistoryEvent) => event.type === 'other' && event.name === 'workflowTaskStarted';
const pending = (step: Step, over: Partial<PendingActivity> = {}): PendingActivity[] => [
  { activity: step.activity, isStarted: true, attempt: 1, ...over },
];

/** What the server would have answered in that moment. */
function seenAt(step: Step, moment: Moment): Seen {
  const scheduled = whole.filter(
    (event) => event.type === 'activity_scheduled' && event.activity === step.activity,
  )[step.nth - 1];
  const from = whole.findIndex((event) => event === scheduled);
  if (moment === 'before') {
    return { history: whole.slice(0, whole.slice(0, from).findLastIndex(isTaskStart) + 1), pending: [] };
  }
  const end = whole.findIndex(
    (event) => event.type === 'activity_completed' && event.scheduledId === scheduled?.id,
  );
  const start = whole.findIndex(
    (event) => event.type === 'activity_started' && event.scheduledId === scheduled?.id,
  );
  if (moment === 'inside') return { history: whole.slice(0, start), pending: pending(step) };
  const next = whole.slice(end).findIndex(isTaskStart);
  return { history: whole.slice(0, end + next + 1), pending: [] };
}

const every = STEP_NAMES.flatMap((name) => MOMENTS.map((moment) => [name, moment] as const));

it.each(every)('%s, %s: recognised, and taken for no other moment or step', (name, moment) => {
  const { history, pending } = seenAt(STEPS[name], moment);
  const found = STEP_NAMES.map((other) => [other, momentOf(history, pending, STEPS[other])]);
  const neighbour = neighbourOf(name, moment);
  const expected = STEP_NAMES.map((other) => {
    if (other === name) return [other, moment];
    return [other, other === neighbour?.[0] ? neighbour[1] : 'elsewhere'];
  });
  expect(found).toEqual(expected);
});

/** Right after one activity is right before the next. */
function neighbourOf(name: StepName, moment: Moment): readonly [StepName, Moment] | null {
  const { activity } = STEPS[name];
  const next = STEP_NAMES.find((other) => STEPS[other].follows === activity);
  const previous = STEP_NAMES.find((other) => STEPS[other].activity === STEPS[name].follows);
  if (moment === 'after' && next) return [next, 'before'];
  if (moment === 'before' && previous) return [previous, 'after'];
  return null;
}

describe.each(STEP_NAMES)('%s: a kill that came at the wrong time is told', (name) => {
  const step = STEPS[name];

  it('the ticket had already closed', () => {
    expect(momentOf(whole, [], step)).toBe('elsewhere');
  });

  it('the step had already completed, and the workflow had gone on', () => {
    const { history } = seenAt(step, 'after');
    expect(momentOf(whole.slice(0, history.length + 1), [], step)).toBe('elsewhere');
  });

  it('the step waited for a worker, or was carried out a second time', () => {
    const { history } = seenAt(step, 'inside');
    expect(momentOf(history, pending(step, { isStarted: false }), step)).toBe('elsewhere');
    expect(momentOf(history, pending(step, { attempt: 2 }), step)).toBe('elsewhere');
  });

  it('what comes before was still being done', () => {
    const { history } = seenAt(step, 'before');
    expect(momentOf(history, pending({ ...step, activity: 'collectEvidence' }), step)).toBe('elsewhere');
  });
});
