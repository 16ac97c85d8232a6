import { FAULTS } from './faults.mjs';

const COLUMNS = { ticket: 'ticket after', answers: 'answers again after', closed: 'closed after' };
const SECOND_START_S = 6;
const IDLE = { cpuPercent: 5, rssMiB: 850 };

export function renderReport({ results, runs, notMeasured, withoutPeers, note, machine }) {
  const parts = [
    '# Benchmarks',
    'Written by `npm run bench`, never by hand. Seconds after the fault, median / worst; beside it the promise, median / worst of 20. The runbook brain, sweeps every 5 s, faults at random moments between two sweeps.',
    facts(machine),
    note,
    Object.keys(results.faults).length > 0 ? faults(results, runs, withoutPeers) : '',
    results.starts ? starts(results.starts) : '',
    results.idle ? idle(results.idle) : '',
    notMeasured.length > 0 ? `Not measured in this run: ${notMeasured.join(', ')}.` : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function facts({ date, cores, memory, system, node, temporal, load }) {
  return `${date} · ${cores} · ${memory} · ${system} · Node ${node} · ${temporal} · load at the end ${load}`;
}

function faults({ faults: measured, peers }, runs, withoutPeers) {
  const rows = Object.entries(measured).map(([row, samples]) => {
    const { title, promised } = FAULTS[row];
    const cells = Object.keys(COLUMNS).map((name) =>
      cell(
        samples.map((one) => one[name]),
        promised[name],
      ),
    );
    const peer = peers[row] ? show(peers[row].samples) : '–';
    return `| ${[title, ...cells, peer].join(' | ')} |`;
  });
  const names = Object.values(peers).map(({ name }) => name);
  const head = ['fault', ...Object.values(COLUMNS), `${names[0] ?? 'peer'}: answers again after`];
  const peerNote = withoutPeers
    ? `No peer was measured: ${withoutPeers}.`
    : 'The peer runs the same program: `autorestart`, httpok every 5 s with a limit of 2 s, `stopwaitsecs` 1 (its default of 10 would wait longer for a stopped process). It restarts blindly and proves nothing.';
  return `## Faults (${runs} runs each)\n\n| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n${rows.join('\n')}\n\n${peerNote}`;
}

function cell(values, [median, worst]) {
  const isKept = middle(values) <= median && Math.max(...values) <= worst;
  return `${show(values)} (promised ${median} / ${worst})${isKept ? '' : ' **missed**'}`;
}

function starts({ first, second }) {
  const isKept = Math.max(...second) <= SECOND_START_S;
  return `## Start to ready (${first.length} runs)\n\n- first, empty data directory, Temporal CLI in the cache: ${show(first)}\n- second: ${show(second)} (promised ≤ ${SECOND_START_S})${isKept ? '' : ' **missed**'}`;
}

function idle({ seconds, processes }) {
  const line = (name, cpu, rss) => `| ${name} | ${cpu.toFixed(1)} % | ${rss.toFixed(0)} MiB |`;
  const sum = (key) => processes.reduce((total, one) => total + one[key], 0);
  const isKept = sum('cpuPercent') <= IDLE.cpuPercent && sum('rssMiB') <= IDLE.rssMiB;
  const rows = processes.map(({ name, cpuPercent, rssMiB }) => line(name, cpuPercent, rssMiB));
  rows.push(line('**all**', sum('cpuPercent'), sum('rssMiB')));
  return `## Idle (${seconds} s, the two services included)\n\n| process | of one core | resident |\n| --- | --- | --- |\n${rows.join('\n')}\n\nPromised for all: ≤ ${IDLE.cpuPercent} %, ≤ ${IDLE.rssMiB} MiB${isKept ? '.' : ': **missed**.'}`;
}

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function show(values) {
  return `${middle(values).toFixed(2)} / ${Math.max(...values).toFixed(2)}`;
}
