import Anthropic from '@anthropic-ai/sdk';
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema';
import { Client, Connection } from '@temporalio/client';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STANDIN_KEY, startStandin } from '../standin.mjs';
import { own } from './ending.mjs';
import { untilClosed } from './faults.mjs';
import { BenchHarness } from './harness.mjs';
import { atRandomMoment, secondsSince, until } from './until.mjs';

const TURNS = 40;
/** How long the model takes for its verdict, and how often that is measured. */
const LATENCIES_S = [1, 3, 6, 12];
const SERVICE = 'kill';
const MODEL = 'claude-opus-5-5';

/**
 * The way through the Messages API, with the scripted stand-in at zero latency as the model: what a turn costs beside the
 * SDK's own tool runner doing as many turns, what a ticket leaves in history, and whose verdict opens it when the model is slow.
 */
export async function measureClaude(runs, say) {
  const turns = { ours: [], runner: [], historyBytes: [] };
  for (let run = 1; run <= Math.min(runs, 5); run += 1) {
    const ours = await measureOurTurns();
    turns.ours.push(ours.msPerTurn);
    turns.historyBytes.push(ours.bytesPerTurn);
    turns.runner.push(await measureRunnerTurns());
    say(`claude turns ${run}: ${JSON.stringify(ours)}, tool runner ${turns.runner.at(-1).toFixed(1)} ms`);
  }
  return { turns, turnCount: TURNS, ...(await measureIncidents(runs, say)) };
}

/** One ticket of many turns that only read, then the ladder's own. */
async function measureOurTurns() {
  return await withClaude(readsFirst, async ({ harness, server }) => {
    await breakAndRepair(harness);
    const { id, turns_used: used } = await harness.newestTicket(SERVICE);
    const asked = server.messageRequests.filter(({ body }) => body?.tools);
    const size = await historySize(harness, `${SERVICE}_healthy`);
    if (server.problems.length > 0) throw new Error(server.problems.join('; '));
    return { ticket: id, msPerTurn: msPerTurn(asked), bytesPerTurn: size / (used ?? asked.length) };
  });
}

async function measureRunnerTurns() {
  const { server, close } = await startStandin({ script: notes });
  try {
    const client = new Anthropic({
      apiKey: STANDIN_KEY,
      baseURL: server.baseUrl,
      maxRetries: 0,
      logLevel: 'off',
    });
    const note = betaTool({
      name: 'query_logs',
      description: 'The newest log lines.',
      inputSchema: {
        type: 'object',
        properties: { contains: { type: 'string' } },
        required: ['contains'],
        additionalProperties: false,
      },
      run: () => 'no stored log lines',
    });
    await client.beta.messages.toolRunner({
      model: MODEL,
      max_tokens: 16_000,
      messages: [{ role: 'user', content: 'service: kill' }],
      tools: [note],
      stream: false,
      thread: false,
      max_iterations: TURNS + 1,
    });
    return msPerTurn(server.messageRequests);
  } finally {
    await close();
  }
}

/** From one request to the next, as the server sees them come; the last turn is another kind of work. */
function msPerTurn(requests) {
  const [first, last] = [requests[0], requests[TURNS]];
  if (!last) throw new Error(`only ${requests.length} turns were made`);
  return (last.arrivedAtMs - first.arrivedAtMs) / TURNS;
}

async function measureIncidents(runs, say) {
  return await withClaude(undefined, async ({ harness, server }) => {
    const incident = await breakAndRepair(harness);
    const { usd, tokens } = await costOfTicket(harness);
    const verdicts = {};
    for (const latencyS of LATENCIES_S) {
      verdicts[latencyS] = [];
      for (let run = 1; run <= runs; run += 1) {
        await harness.forget(SERVICE);
        server.latencyMs = latencyS * 1_000;
        const ticket = await breakAndRepair(harness, () => (server.latencyMs = 0));
        verdicts[latencyS].push(ticket.by === 'claude');
        say(
          `verdict at ${latencyS} s ${run}/${runs}: ${ticket.by}, ticket after ${ticket.ticket.toFixed(2)} s`,
        );
      }
    }
    if (server.problems.length > 0) throw new Error(server.problems.join('; '));
    return { incident: { ...incident, usd, tokens }, verdicts };
  });
}

async function withClaude(script, work) {
  const { server, close } = await startStandin(script ? { script } : {});
  const release = own(close);
  try {
    const harness = await BenchHarness.launch({
      services: { [SERVICE]: 'limiter' },
      agent: { brain: 'claude', budget: { turns: 100, usd: 100, tokens: 10_000_000, usd_per_day: 1_000 } },
      env: { ANTHROPIC_API_KEY: STANDIN_KEY, ANTHROPIC_BASE_URL: server.baseUrl },
    });
    try {
      return await work({ harness, server });
    } finally {
      await harness.dispose();
    }
  } finally {
    await close();
    release();
  }
}

async function breakAndRepair(harness, onOpened = () => undefined) {
  const before = await harness.newestTicket(SERVICE);
  const { pid } = await harness.service(SERVICE);
  await atRandomMoment();
  const faultAt = Date.now();
  process.kill(pid, 'SIGKILL');
  await until('the ticket opens', async () => {
    const newest = await harness.newestTicket(SERVICE);
    return newest !== null && newest.id !== before?.id;
  });
  onOpened();
  const ticket = await untilClosed(harness, SERVICE, before);
  return {
    by: ticket.verdict_by ?? 'runbook',
    ticket: secondsSince(faultAt, Date.parse(ticket.created_at)),
    closed: secondsSince(faultAt, Date.parse(ticket.closed_at)),
  };
}

async function costOfTicket(harness) {
  const { id, cost } = await harness.newestTicket(SERVICE);
  const { turns } = await harness.get(`/tickets/${id}/trajectory`);
  const sum = (name) => turns.reduce((total, turn) => total + (turn.tokens?.[name] ?? 0), 0);
  return {
    usd: cost,
    tokens: {
      input: sum('input'),
      written: sum('cache_write_5m'),
      read: sum('cache_read'),
      output: sum('output'),
    },
  };
}

async function historySize(harness, workflowId) {
  const endpoints = JSON.parse(await readFile(join(harness.dir, 'data/run/endpoints.json'), 'utf8'));
  const connection = await Connection.connect({ address: endpoints.temporal_address });
  try {
    const { historySize: bytes } = await new Client({ connection }).workflow.getHandle(workflowId).describe();
    return bytes;
  } finally {
    await connection.close();
  }
}

function turnOf(request) {
  return request.messages.filter(({ role }) => role === 'assistant').length;
}

/** For the tool runner: as many reads as ours makes, then the end. */
function notes(request) {
  const turn = turnOf(request);
  return turn < TURNS ? read(turn) : { text: 'Done.' };
}

/** For ours: the same reads, then the ladder. */
function readsFirst(request, ladder) {
  const turn = turnOf(request);
  return turn < TURNS ? read(turn) : ladder(request);
}

function read(turn) {
  const text = `Turn ${turn + 1}.`;
  return { thinking: text, text, calls: [{ name: 'query_logs', input: { contains: `nothing ${turn}` } }] };
}
