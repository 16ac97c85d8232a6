import { FAULTS } from './faults.mjs';
import { count, escaped, judged, show, table } from './figures.mjs';
import { PATIENCE } from './patience.mjs';
import { reportClaude } from './report-claude.mjs';
import { reportIdle, reportStarts, reportThousand } from './report-cost.mjs';
import { reportPeers } from './report-peers.mjs';
import { STOLEN_PORT } from './stolen-port.mjs';

const INTRODUCTION =
  'Written by `npm run bench`, never by hand. Seconds after the fault, median / worst; in brackets the promise, median / worst of 20. The runbook brain, sweeps every 5 s, faults at random moments between two sweeps. Before each run the service is paused and resumed, so that every fault is a first one, and its files have been known to be good.';

const PATIENCE_COLUMNS = {
  stall: { restarts: 'restarts', edits: 'edits', tickets: 'tickets, closed by themselves' },
  boot: {
    ticket: 'ticket after',
    starts: 'starts',
    answers: 'answers after',
    closed: 'closed after its first answer',
  },
};
const COUNTS = ['restarts', 'edits', 'tickets', 'starts'];

/** `results`: what there is so far; `missing`: the rows that are not measured, and why. */
export function renderReport({ results, runs, missing, note, machine }) {
  const parts = [
    '# Benchmarks',
    INTRODUCTION,
    facts(machine),
    note,
    topic(`Faults (${runs} runs each)`, results, FAULTS, {
      ticket: 'ticket after',
      answers: 'answers again after',
      closed: 'closed, verified, after',
    }),
    topic(
      `Port taken by another process (${runs} runs each)`,
      results,
      STOLEN_PORT,
      {
        ticket: 'ticket after',
        blocked: 'blocked, its owner named, after',
        closed: 'closed after the owner left',
        starts: 'starts of the service',
      },
      'The service is killed and a stranger has its port at once; nobody may touch him. When he leaves, the service must come back by itself. The two variants were measured at the same time.',
    ),
    patience(results, runs),
    reportPeers(results.peers, results.rows),
    results.claude ? reportClaude(results.claude) : '',
    results.thousand ? reportThousand(results.thousand) : '',
    results.starts ? reportStarts(results.starts) : '',
    results.idle ? reportIdle(results.idle) : '',
    failures(results.rows),
    missing.length > 0
      ? `## Not measured\n\n${missing.map(({ row, why }) => `- ${row}: ${why}`).join('\n')}`
      : '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function facts({ date, cores, memory, system, node, temporal, load }) {
  return `${date} · ${cores} · ${memory} · ${system} · Node ${node} · ${temporal} · load at the end ${load}`;
}

function topic(title, { rows }, known, columns, explanation = '') {
  const measured = Object.keys(known).filter((name) => rows[name]);
  if (measured.length === 0) return '';
  const lines = measured.map((name) => [
    known[name].title,
    ...Object.keys(columns).map((column) => cell(rows[name], column, known[name].promised[column])),
  ]);
  const text = `## ${title}\n\n${table(['fault', ...Object.values(columns)], lines)}`;
  return explanation === '' ? text : `${text}\n\n${explanation}`;
}

function patience({ rows }, runs) {
  const measured = Object.keys(PATIENCE).filter((name) => rows[name]);
  if (measured.length === 0) return '';
  const lines = measured.flatMap((name) =>
    Object.entries(PATIENCE_COLUMNS[name]).map(([column, title]) => [
      PATIENCE[name].title,
      title,
      cell(rows[name], column, PATIENCE[name].promised[column]),
    ]),
  );
  return `## Better left alone (${runs} runs each)\n\n${table(['fault', 'what', 'measured'], lines)}`;
}

function cell({ samples }, column, promised) {
  if (samples.length === 0) return '**failed**';
  const values = samples.map((sample) => sample[column]);
  const print = COUNTS.includes(column) ? count : undefined;
  return promised ? judged(values, promised, print) : show(values, print);
}

/** A run that failed is in no median, so it must be told. */
function failures(rows) {
  const lines = Object.entries(rows).flatMap(([name, { samples, failures: failed }]) =>
    failed.map((why) => `- ${name}, ${escaped(why)} (${samples.length} runs succeeded)`),
  );
  return lines.length > 0 ? `## Failed runs: promises **missed**\n\n${lines.join('\n')}` : '';
}
