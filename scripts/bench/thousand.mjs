import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BenchHarness } from './harness.mjs';
import { measureCost } from './process-cost.mjs';
import { openTargets } from './targets.mjs';
import { pause } from './until.mjs';

const HANGING = 20;
const WARM_UP_MS = 15_000;

/**
 * A thousand invariants every 5 s: all healthy, and then from the moment 20 of the targets accept and never answer. How often
 * each was really checked is read once, after each measurement, from the times that the monitor keeps: it costs the measured
 * nothing.
 */
export async function measureThousand(seconds, say) {
  const targets = await openTargets(HANGING);
  let harness = null;
  try {
    const healthy = targets.healthy.map((query, index) => invariant(`healthy_${index}`, query));
    const hanging = targets.hanging.map((query, index) => invariant(`hanging_${index}`, query));
    harness = await BenchHarness.launch({ invariants: [...healthy, ...hanging] });
    const ids = healthy.map(({ id }) => id);
    await pause(WARM_UP_MS);
    say(`thousand: all healthy for ${seconds} s …`);
    const allHealthy = await measure(harness, ids, seconds);
    say(`thousand: ${HANGING} hung for ${seconds} s …`);
    targets.fallSilent();
    const someHung = await measure(harness, ids, seconds);
    const tickets = (await harness.get('/tickets?limit=200')).items;
    return {
      count: healthy.length + hanging.length,
      hung: hanging.length,
      tickets: tickets.length,
      open: tickets.filter(({ closed_at }) => closed_at === null).length,
      allHealthy,
      someHung,
    };
  } finally {
    await harness?.dispose();
    await targets.close();
  }
}

function invariant(id, query) {
  return { id, query, condition: 'status == 200' };
}

async function measure(harness, ids, seconds) {
  const from = Date.now();
  const cost = await measureCost(harness, seconds);
  const to = Date.now();
  const endpoints = JSON.parse(await readFile(join(harness.dir, 'data/run/endpoints.json'), 'utf8'));
  const { items } = await (await fetch(new URL('/samples', endpoints.monitor_url))).json();
  const times = ids.map((id) =>
    (items[id] ?? []).map(({ at }) => Date.parse(at)).filter((at) => at >= from && at <= to),
  );
  return {
    ...cost,
    periods: times.flatMap(gaps),
    // One that is not checked any more has no period, but a long silence up to the end.
    longestS: Math.max(...times.flatMap((known) => gaps([from, ...known, to]))),
  };
}

/** Seconds between each moment and the next. */
function gaps(times) {
  return times.slice(1).map((at, index) => (at - times[index]) / 1_000);
}
