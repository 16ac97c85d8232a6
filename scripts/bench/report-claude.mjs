import { middle, seconds, show, table, verdict } from './figures.mjs';

const MS_PER_TURN = 120;
const whole = (value) => Math.round(value).toLocaleString('en');
const milliseconds = (value) => value.toFixed(1);

export function reportClaude({ turns, turnCount, incident, verdicts }) {
  const isKept = middle(turns.ours) <= MS_PER_TURN;
  const ratio = middle(turns.ours) / middle(turns.runner);
  const { tokens } = incident;
  const rows = Object.entries(verdicts).map(([latency, byModel]) => [
    `${latency} s`,
    `${byModel.filter(Boolean).length} of ${byModel.length}`,
  ]);
  return `## The way through the Messages API

The model is a scripted stand-in, not Claude, on the same machine.

- a turn (propose, decide, read the log, result; ${turnCount} in a row, ${turns.ours.length} tickets) at zero latency, ms: ${show(turns.ours, milliseconds)} (promised median ≤ ${MS_PER_TURN}): ${verdict(isKept)}
- the SDK's own tool runner in one process, as many turns against the same server, its tool a constant: ${show(turns.runner, milliseconds)}; ours takes ${ratio.toFixed(1)} times as long
- history, bytes a turn: ${show(turns.historyBytes, whole)}
- the demo's incident, a killed process: ticket after ${seconds(incident.ticket)} s, closed after ${seconds(incident.closed)} s; ${whole(tokens.input)} tokens in, ${whole(tokens.written)} written to the cache, ${whole(tokens.read)} read from it, ${whole(tokens.output)} out; $${incident.usd.toFixed(4)} by the price table. A model of that price that says as little as the stand-in does not exist: read it as the least.

Tickets that carry the model's verdict, by how long it takes to answer; the others opened on time with the verdict of the rules:

${table(['model answers after', 'by the model'], rows)}`;
}
