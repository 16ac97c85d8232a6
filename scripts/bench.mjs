// Measures the real product beside its promises: node scripts/bench.mjs [--runs 20] [--rows kill,hang,block,start,idle]
// [--idle 60] [--no-peers] [--note TEXT]. Writes docs/benchmarks.md; needs a built dist/ and takes about 20 minutes.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { FAULTS, measureFault } from './bench/faults.mjs';
import { BenchHarness, ROOT } from './bench/harness.mjs';
import { machineFacts } from './bench/machine.mjs';
import { measurePeer, preparePeers } from './bench/peers.mjs';
import { measureIdle } from './bench/process-cost.mjs';
import { renderReport } from './bench/report.mjs';

const ROWS = [...Object.keys(FAULTS), 'start', 'idle'];
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    rows: { type: 'string', default: ROWS.join(',') },
    idle: { type: 'string', default: '60' },
    'no-peers': { type: 'boolean', default: false },
    note: { type: 'string', default: '' },
  },
});
const runs = Number(values.runs);
const idleS = Number(values.idle);
const rows = values.rows.split(',');
const unknown = rows.filter((row) => !ROWS.includes(row));
if (unknown.length > 0 || !(runs >= 1) || !(idleS >= 1)) {
  console.error(
    `rows are ${ROWS.join(', ')}; --runs and --idle are numbers from 1 (got ${unknown.join(', ')})`,
  );
  process.exit(2);
}
const say = (text) => console.error(text);

const results = { faults: {}, peers: {}, starts: null, idle: null };
/** What runs now and must not outlive us. */
let running = null;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => void Promise.resolve(running?.dispose()).finally(() => process.exit(130)));
}
const faultRows = rows.filter((row) => row in FAULTS);

if (faultRows.length > 0 || rows.includes('idle')) {
  const harness = await BenchHarness.create();
  try {
    running = harness;
    await harness.start();
    await harness.untilUp();
    if (rows.includes('idle')) {
      say(`idle for ${idleS} s …`);
      results.idle = await measureIdle(harness, idleS);
    }
    for (const row of faultRows) results.faults[row] = await measureFault(harness, row, runs, say);
  } finally {
    await harness.dispose();
  }
}
if (rows.includes('start')) {
  results.starts = { first: [], second: [] };
  for (let run = 0; run < Math.min(runs, 5); run += 1) {
    const harness = await BenchHarness.create();
    try {
      running = harness;
      results.starts.first.push(await harness.start());
      await harness.stop();
      results.starts.second.push(await harness.start());
    } finally {
      await harness.dispose();
    }
  }
}
let withoutPeers = values['no-peers'] ? 'they were left out with `--no-peers`' : null;
if (withoutPeers === null && faultRows.length > 0) {
  try {
    const peers = await preparePeers(say);
    for (const row of faultRows) results.peers[row] = await measurePeer(peers, row, runs, say);
  } catch (error) {
    withoutPeers = `supervisord could not be had or run: ${error.message.split('\n')[0]}`;
  }
}
const report = renderReport({
  results,
  runs,
  notMeasured: ROWS.filter((row) => !rows.includes(row)),
  withoutPeers,
  note: values.note,
  machine: await machineFacts(),
});
const file = join(ROOT, 'docs/benchmarks.md');
await writeFile(file, await format(report, { ...(await resolveConfig(file)), parser: 'markdown' }));
process.stdout.write(report);
