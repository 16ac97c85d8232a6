import { isInterrupted } from './ending.mjs';
import { FAULTS, measureFault } from './faults.mjs';
import { BenchHarness } from './harness.mjs';
import { measureBoot, measureStall, PATIENCE } from './patience.mjs';
import { measureStolenPort, STOLEN_PORT } from './stolen-port.mjs';

const withMeasure = (rows, measure) =>
  Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { ...row, measure }]));

/** Every row that is measured by breaking a service of that name again and again. */
export const ROWS = {
  ...withMeasure(FAULTS, measureFault),
  ...withMeasure(STOLEN_PORT, measureStolenPort),
  stall: { ...PATIENCE.stall, measure: measureStall },
  boot: { ...PATIENCE.boot, measure: measureBoot },
};

/** These mostly wait, each for its own service: together in one harness they take half the time and do not disturb each other. */
const SIDE_BY_SIDE = [
  ['port404', 'port200'],
  ['stall', 'boot'],
];
/** Something is wrong that further runs would not tell more of. */
const MAX_FAILURES = 3;

/** The rows in the order in which they are measured, in groups that share a harness. */
export function groupRows(names) {
  const groups = Object.keys(ROWS).map(
    (name) => SIDE_BY_SIDE.find((group) => group.includes(name)) ?? [name],
  );
  return [...new Set(groups)]
    .map((group) => group.filter((name) => names.includes(name)))
    .filter((group) => group.length > 0);
}

/** Row → what each run measured, and why runs failed; a failed one is followed by a harness of its own. */
export async function measureRows(names, runs, say) {
  const measured = Object.fromEntries(names.map((name) => [name, { samples: [], failures: [] }]));
  const config = {
    services: Object.fromEntries(names.map((name) => [name, ROWS[name].program])),
    rules: Object.fromEntries(names.map((name) => [name, ROWS[name].rules])),
  };
  const isHopeless = () => Object.values(measured).some(({ failures }) => failures.length >= MAX_FAILURES);
  let launching = null;
  const launched = () => (launching ??= BenchHarness.launch(config));
  const dispose = async () => {
    const harness = await launching?.catch(() => null);
    await harness?.dispose();
    launching = null;
  };
  for (let run = 1; run <= runs && !isHopeless() && !isInterrupted(); run += 1) {
    const outcomes = await Promise.allSettled(
      names.map(async (name) => await measureOnce(await launched(), name, run)),
    );
    for (const [index, { value, reason }] of outcomes.entries()) {
      const name = names[index];
      if (value) measured[name].samples.push(value);
      else measured[name].failures.push(`run ${run}: ${reason.message}`);
      say(`${name} ${run}/${runs}: ${value ? JSON.stringify(value) : `FAILED: ${reason.message}`}`);
    }
    if (outcomes.some(({ status }) => status === 'rejected')) await dispose();
  }
  await dispose();
  return measured;
}

async function measureOnce(harness, name, run) {
  await harness.forget(name);
  return await ROWS[name].measure(ROWS[name], harness, harness.services[name], run);
}
