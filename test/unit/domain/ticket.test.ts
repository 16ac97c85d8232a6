import type { TicketEvent, TicketState } from '../../../src/domain/ticket';
import { applyTicketEvent, isOpen, NEW_TICKET } from '../../../src/domain/ticket';

const escalation = { at: '2026-01-01T00:00:00.000Z', reason: 'r', report: 'p' };

function run(...events: TicketEvent[]): TicketState {
  return events.reduce<TicketState>((state, event) => {
    const next = applyTicketEvent(state, event);
    if (!next) throw new Error(`illegal ${event.type} in ${JSON.stringify(state)}`);
    return next;
  }, NEW_TICKET);
}

const CLAIMED: TicketEvent = { type: 'claimed' };
const VERIFYING: TicketEvent = { type: 'verifying' };
const VERIFIED: TicketEvent = { type: 'recovery_verified' };

describe('a ticket', () => {
  it('starts pending, without attempt, phase or resolution', () => {
    expect(NEW_TICKET).toMatchObject({ status: 'pending', phase: null, resolution: null, attempt: 0 });
  });

  it('claimed: in progress, investigating, first attempt', () => {
    expect(run(CLAIMED)).toMatchObject({ status: 'in_progress', phase: 'investigating', attempt: 1 });
  });

  it('proof after an effect: completed as fixed', () => {
    const state = run(CLAIMED, { type: 'acting' }, { type: 'effect_done' }, VERIFYING, VERIFIED);
    expect(state).toMatchObject({ status: 'completed', resolution: 'fixed', phase: null, effects: 1 });
    expect(isOpen(state)).toBe(false);
  });

  it('proof without any effect: completed as self-recovered', () => {
    expect(run(CLAIMED, VERIFYING, VERIFIED)).toMatchObject({
      status: 'completed',
      resolution: 'self_recovered',
    });
  });

  it('an acting call that changed nothing: still self-recovered', () => {
    expect(run(CLAIMED, { type: 'acting' }, VERIFYING, VERIFIED)).toMatchObject({
      resolution: 'self_recovered',
    });
  });

  it('blocked keeps the escalation through a resumed attempt', () => {
    const state = run(
      CLAIMED,
      { type: 'blocked', on: 'person', escalation },
      { type: 'resumed', newAttempt: true },
    );
    expect(state).toMatchObject({ status: 'in_progress', attempt: 2, blockedOn: null, escalation });
  });

  it('blocked can be proven recovered without a new attempt', () => {
    const state = run(CLAIMED, { type: 'blocked', on: 'person', escalation }, VERIFYING, VERIFIED);
    expect(state).toMatchObject({ status: 'completed', attempt: 1 });
  });

  it.each([
    ['cancelled', 'cancelled'],
    ['dismissed', 'dismissed'],
  ] as const)('%s from any open state: failed with that resolution', (type, resolution) => {
    for (const before of [[], [CLAIMED], [CLAIMED, VERIFYING]]) {
      expect(run(...before, { type })).toMatchObject({ status: 'failed', resolution, phase: null });
    }
  });

  it.each<[string, TicketEvent[], TicketEvent]>([
    ['a proof nobody asked for', [CLAIMED], VERIFIED],
    ['verifying before an agent has it', [], VERIFYING],
    ['a second claim', [CLAIMED], CLAIMED],
    ['acting while pending', [], { type: 'acting' }],
    [
      'an effect while blocked',
      [CLAIMED, { type: 'blocked', on: 'person', escalation }],
      { type: 'effect_done' },
    ],
    ['resuming what is not blocked', [CLAIMED], { type: 'resumed', newAttempt: true }],
    ['anything after the close', [CLAIMED, VERIFYING, VERIFIED], { type: 'cancelled' }],
    ['a late claim after the close', [CLAIMED, VERIFYING, VERIFIED], CLAIMED],
  ])('refuses %s', (_name, before, event) => {
    expect(applyTicketEvent(run(...before), event)).toBeNull();
  });
});
