import { watchSweeps } from '../../../src/workers/sweep-watch';

const START = new Date('2026-01-01T12:00:00.000Z');
let lines: string[];
let lastSweepAt: string | null;
let end: () => void;

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  lines = [];
  lastSweepAt = null;
  const log = { info: (line: string) => lines.push(line), error: (line: string) => lines.push(line) };
  const samples = { read: () => ({ items: {}, lastSweepAt, lastError: null }) };
  end = watchSweeps(samples, 1_000, log as Parameters<typeof watchSweeps>[2]);
});
afterEach(() => {
  end();
  jest.useRealTimers();
});

function sweepFor(seconds: number): void {
  for (let passed = 0; passed < seconds; passed += 1) {
    lastSweepAt = new Date().toISOString();
    jest.advanceTimersByTime(1_000);
  }
}

it('says once that nothing is checked any more, and once that it is again', () => {
  sweepFor(5);
  expect(lines).toEqual([]);
  jest.advanceTimersByTime(10_000);
  expect(lines).toEqual([expect.stringMatching(/nothing has been checked for [34] s/)]);
  sweepFor(3);
  expect(lines.slice(1)).toEqual(['sweeps run again']);
});

it.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
])('the clock is set %s by an hour between sweeps: nothing to say', (_name, jumpMs) => {
  sweepFor(5);
  jest.setSystemTime(Date.now() + jumpMs);
  jest.advanceTimersByTime(1_000);
  sweepFor(5);
  expect(lines).toEqual([]);
});
