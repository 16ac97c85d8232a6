// Keeps the history of one run for the replay tests: node scripts/record-history.mjs <data dir> <workflow ID> <name> [run ID]
// A stored history is never written again: a change of a workflow adds one.
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { Client, Connection } = require('@temporalio/client');
const { historyToJSON } = require('@temporalio/common/lib/proto-utils');

const [dataDir, workflowId, name, runId] = process.argv.slice(2);
if (!dataDir || !workflowId || !name) {
  console.error('usage: node scripts/record-history.mjs <data dir> <workflow ID> <name> [run ID]');
  process.exit(2);
}
const endpoints = JSON.parse(await readFile(join(dataDir, 'run', 'endpoints.json'), 'utf8'));
const connection = await Connection.connect({ address: endpoints.temporal_address });
const client = new Client({ connection, namespace: endpoints.temporal_namespace });
const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const file = join(root, 'test', 'replay', 'histories', `${name}.json`);
await writeFile(file, `${historyToJSON(history)}\n`, { flag: 'wx' });
console.log(`${file}: ${history.events.length} events`);
await connection.close();
