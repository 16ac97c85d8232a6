// Measures the real product beside its promises: node scripts/bench.mjs [--runs 20] [--rows kill,hang,…] [--idle 300]
// [--no-peers] [--note TEXT] [--out FILE]. Writes docs/benchmarks.md, or FILE, after every row; needs a built dist/ and takes
// about an hour.
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { measureClaude } from './bench/claude.mjs';
import { endOnSignals, isInterrupted } from './bench/ending.mjs';
import { machineFacts } from './bench/machine.mjs';
import { findPeers, measurePeers, PEER_ROWS } from './bench/peers.mjs';
import { renderReport } from './bench/report.mjs';
import { groupRows, measureRows, ROWS } from './bench/rows.mjs';
import { ROOT } from './bench/services.mjs';
import { measureIdle, measureStarts } from './bench/starts.mjs';
import { measureThousand } from './bench/thousand.mjs';

const ALL_ROWS = ['idle', 'start', 'thousand', ...Object.keys(ROWS), 'claude'];
const THOUSAND_S = 60;
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20' },
    rows: { type: 'string', default: ALL_ROWS.join(',') },
    idle: { type: 'string', default: '300' },
    'no-peers': { type: 'boolean', default: false },
    note: { type: 'string', default: '' },
    out: { type: 'string', default: 'docs/benchmarks.md' },
  },
});
const runs = Number(values.runs);
const idleS = Number(values.idle);
const rows = values.rows.split(',');
const unknown = rows.filter((row) => !ALL_ROWS.includes(row));
if (unknown.length > 0 || !(runs >= 1) || !(idleS >= 1)) {
  console.error(
    `rows are ${ALL_ROWS.join(', ')}; --runs and --idle are numbers from 1 (got ${unknown.join(', ')})`,
  );
  process.exit(2);
}
const startedMs = performance.now();
const say = (text) => console.error(`${((performance.now() - startedMs) / 60_000).toFixed(1)} min  ${text}`);

const results = { rows: {}, peers: {}, starts: null, idle: null, thousand: null, claude: null };
/** Row → why it is not in the report. */
const missing = new Map(ALL_ROWS.map((row) => [row, rows.includes(row) ? 'not reached' : 'not asked for']));
const file = resolve(ROOT, values.out);

/** Written after every step, so that an interrupted run keeps what it measured. */
async function writeReport() {
  const report = renderReport({
    results,
    runs,
    missing: [...missing].map(([row, why]) => ({ row, why })),
    note: values.note,
    machine: await machineFacts(),
  });
  await writeFile(file, await format(report, { ...(await resolveConfig(file)), parser: 'markdown' }));
}

/** One that cannot be measured leaves the others their turn. */
async function step(names, measure) {
  if (isInterrupted()) return;
  say(`${names.join(' and ')} …`);
  try {
    await measure();
    for (const name of names) missing.delete(name);
  } catch (error) {
    say(`${names.join(' and ')} failed: ${error.message}`);
    for (const name of names) missing.set(name, `failed: ${error.message.split('\n')[0]}`);
  }
  if (!isInterrupted()) await writeReport();
}

endOnSignals();
if (rows.includes('idle')) await step(['idle'], async () => (results.idle = await measureIdle(idleS, say)));
if (rows.includes('start'))
  await step(['start'], async () => (results.starts = await measureStarts(runs, say)));
if (rows.includes('thousand')) {
  await step(['thousand'], async () => (results.thousand = await measureThousand(THOUSAND_S, say)));
}
for (const group of groupRows(rows)) {
  await step(group, async () => Object.assign(results.rows, await measureRows(group, runs, say)));
}
if (rows.includes('claude')) {
  await step(['claude'], async () => (results.claude = await measureClaude(runs, say)));
}
const peerRows = PEER_ROWS.filter((row) => rows.includes(row));
if (values['no-peers']) missing.set('peers', 'left out with `--no-peers`');
else if (peerRows.length > 0) {
  missing.set('peers', 'not reached');
  const peers = await findPeers(say);
  for (const row of peerRows) {
    await step(['peers'], async () => (results.peers[row] = await measurePeers(peers, row, runs, say)));
  }
}
say(`the report is in ${file}`);
