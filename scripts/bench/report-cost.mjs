import { middle, seconds, show, table, verdict } from './figures.mjs';
import { total } from './process-cost.mjs';
import { INTERVAL_MS } from './until.mjs';

const SECOND_START_S = 6;
const IDLE = { cpuPercent: 5, rssMiB: 850 };
const THOUSAND_CPU_PERCENT = 10;
const PROBING = ['monitor', 'temporal'];
/** A check that comes later than this was delayed by somebody. */
const LONGEST_PERIOD_S = (1.5 * INTERVAL_MS) / 1_000;

const percent = (value) => `${value.toFixed(1)} %`;
const mebibytes = (value) => `${value.toFixed(0)} MiB`;

export function reportStarts({ first, second }) {
  const isKept = Math.max(...second) <= SECOND_START_S;
  return `## Start to ready (${first.length} runs, one service)

- first, empty data directory, Temporal CLI in the cache: ${show(first)}
- second: ${show(second)} (promised ≤ ${SECOND_START_S}): ${verdict(isKept)}`;
}

export function reportIdle({ seconds: length, processes }) {
  const cpu = total(processes, 'cpuPercent');
  const rss = total(processes, 'rssMiB');
  const isKept = cpu <= IDLE.cpuPercent && rss <= IDLE.rssMiB;
  return `## Idle (${length} s, one service, which is included)

${costs(processes)}

Promised for all: ≤ ${IDLE.cpuPercent} %, ≤ ${IDLE.rssMiB} MiB: ${verdict(isKept)}.`;
}

export function reportThousand({ count, hung, tickets, open, allHealthy, someHung }) {
  const probing = (run) => total(run.processes, 'cpuPercent', PROBING);
  const lines = [
    ['all healthy', allHealthy],
    [`${hung} of them hung`, someHung],
  ].map(([title, run]) => [
    title,
    percent(probing(run)),
    percent(total(run.processes, 'cpuPercent')),
    mebibytes(total(run.processes, 'rssMiB')),
    seconds(middle(run.periods)),
    seconds(run.longestS),
  ]);
  const head = [
    'targets',
    'monitor + Temporal, of one core',
    'all processes',
    'resident, all',
    'check period, median',
    'longest',
  ];
  const isCheap = probing(allHealthy) <= THOUSAND_CPU_PERCENT;
  const isUndelayed = someHung.longestS <= LONGEST_PERIOD_S;
  return `## ${count.toLocaleString('en')} invariants every ${INTERVAL_MS / 1_000} s (${allHealthy.seconds} s each)

${table(head, lines)}

Seconds between two checks of a healthy target, and the longest that any of the ${count - hung} waited. In the second row ${hung} targets accept and never answer, from the start of the measurement, so what their tickets cost is in it: ${tickets} were opened (no service belongs to them), ${open} of them open at the end.

- monitor + Temporal with all healthy, promised ≤ ${THOUSAND_CPU_PERCENT} %: ${verdict(isCheap)}
- ${hung} hung delay nobody, no healthy target waits longer than ${LONGEST_PERIOD_S} s: ${verdict(isUndelayed)}

All healthy:

${costs(allHealthy.processes)}

${hung} hung:

${costs(someHung.processes)}`;
}

function costs(processes) {
  const line = (name, cpu, rss) => [name, percent(cpu), mebibytes(rss)];
  const rows = processes.map(({ name, cpuPercent, rssMiB }) => line(name, cpuPercent, rssMiB));
  rows.push(line('**all**', total(processes, 'cpuPercent'), total(processes, 'rssMiB')));
  return table(['process', 'of one core', 'resident'], rows);
}
