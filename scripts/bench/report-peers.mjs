import { FAULTS } from './faults.mjs';
import { escaped, show, table } from './figures.mjs';
import { PEER_ROWS, RECOVERY_LIMIT_MS } from './peers.mjs';

const EXPLANATION = `Seconds until the service answers again, median / worst. The peers run the same program, at the same time but not beside harness: supervisord with \`autorestart\`, httpok every 5 s with a limit of 2 s, \`stopwaitsecs\` 1 (its default of 10 would wait longer for a stopped process); monit with a cycle of 5 s and \`if failed url … timeout 2 seconds then restart\`, a stop script with one second of grace. They restart blindly and prove nothing; what a restart does not repair is given up after ${RECOVERY_LIMIT_MS / 1_000} s, three times, and then put right by the bench.`;

/** Row → one result per peer; harness's own figures beside them. */
export function reportPeers(peers, rows) {
  const measured = PEER_ROWS.filter((row) => peers[row]);
  if (measured.length === 0) return '';
  const names = peers[measured[0]].map(({ name }) => name);
  const lines = measured.map((row) => [
    FAULTS[row].title,
    rows[row]?.samples.length > 0 ? show(rows[row].samples.map(({ answers }) => answers)) : '–',
    ...peers[row].map(cell),
  ]);
  return `## Beside others\n\n${table(['fault', 'harness', ...names], lines)}\n\n${EXPLANATION}`;
}

function cell({ samples, failure }) {
  const repaired = samples.filter((sample) => sample !== null);
  const lost = samples.length - repaired.length;
  const parts = [
    repaired.length > 0 ? `${show(repaired)} (${repaired.length} runs)` : '',
    lost > 0 ? `never within ${RECOVERY_LIMIT_MS / 1_000} s (${lost} runs)` : '',
    failure === null ? '' : `not measured: ${escaped(failure)}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}
