import { CrashBench } from './crash-bench';
import type { Cell, Victim } from './crash-bench';
import type { Moment, StepName } from './ticket-steps';
import { MOMENTS, STEP_NAMES, STEPS } from './ticket-steps';

interface RightEnd {
  readonly resolution: 'fixed' | 'self_recovered';
  /** Starts of the service, the one by the ticket included. */
  readonly starts: number;
}

/** The last test of a file: nothing runs afterwards. */
export async function expectCleanStop(bench: CrashBench): Promise<void> {
  const { ofRun, left, code } = await bench.stop();
  // Control: Temporal, the web server and every service bear the mark of the run.
  expect(ofRun).toBeGreaterThanOrEqual(MOMENTS.length + 2);
  expect({ left, code }).toEqual({ left: [], code: 130 });
}

/** One row per step and one test per moment: what dies, dies in the middle of a ticket, and the ticket ends right. */
export function describeCrashes(
  victim: Victim,
  rightEnd: (step: StepName, moment: Moment) => RightEnd,
): void {
  jest.setTimeout(180_000);
  let bench: CrashBench;
  beforeAll(async () => {
    bench = await CrashBench.create();
  });
  afterAll(async () => {
    await bench.dispose();
  });

  describe.each(STEP_NAMES)(`kill -9 of ${victim} around the step "%s"`, (step) => {
    let row: Record<Moment, Cell>;
    beforeAll(async () => {
      row = await bench.crash(victim, STEPS[step]);
    });

    it.each(MOMENTS)('%s: one ticket, ended right, and no start too many', (moment) => {
      const { landed, ticketId, closed, newTickets, newRuns, newStarts } = row[moment];
      const { resolution, starts } = rightEnd(step, moment);
      expect(landed).toBe(moment);
      expect(closed).toMatchObject({ id: ticketId, status: 'completed', resolution });
      expect({ newTickets, newRuns, newStarts }).toEqual({ newTickets: 1, newRuns: 1, newStarts: starts });
    });

    it('each service runs once, and nothing of the incidents runs any more', async () => {
      expect(bench.serviceProcesses()).toBe(MOMENTS.length);
      await bench.untilIdle();
    });
  });

  it('SIGINT ends all of it, and no process of the run is left', async () => {
    await expectCleanStop(bench);
  });
}
