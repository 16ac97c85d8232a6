import { BenchHarness } from './harness.mjs';
import { measureCost } from './process-cost.mjs';
import { pause } from './until.mjs';

const ONE_SERVICE = { services: { rate_limiter: 'limiter' } };
const MAX_STARTS = 5;
const WARM_UP_MS = 15_000;

/** Seconds to `ready`: with an empty data directory, and again with what the first left. */
export async function measureStarts(runs, say) {
  const starts = { first: [], second: [] };
  for (let run = 0; run < Math.min(runs, MAX_STARTS); run += 1) {
    const harness = await BenchHarness.create(ONE_SERVICE);
    try {
      starts.first.push(await harness.start());
      await harness.stop();
      starts.second.push(await harness.start());
    } finally {
      await harness.dispose();
    }
    say(`start ${run + 1}: ${starts.first.at(-1).toFixed(2)}, ${starts.second.at(-1).toFixed(2)}`);
  }
  return starts;
}

/** What harness costs while nothing happens. */
export async function measureIdle(seconds, say) {
  const harness = await BenchHarness.launch(ONE_SERVICE);
  try {
    // Just after a start everything is still warming up.
    await pause(WARM_UP_MS);
    say(`idle for ${seconds} s …`);
    return await measureCost(harness, seconds);
  } finally {
    await harness.dispose();
  }
}
