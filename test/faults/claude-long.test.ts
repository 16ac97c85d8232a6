import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beginWith, ClaudeBench, expectFixedBy } from '../support/claude-bench';
import type { ScriptedTurn } from '../support/claude-server/script';

jest.setTimeout(400_000);

const SERVICE = 'patient';
/** Look, restart and the proof are the last three of 200. */
const READS = 197;
const LINE = `${'x'.repeat(59)}\n`;
const MAX_HISTORY_BYTES = 5 * 1024 * 1024;
const MAX_RESULT_BYTES = 16 * 1024;
const MAX_NOTE = 2_000;

let bench: ClaudeBench;
beforeAll(async () => {
  bench = await ClaudeBench.create(SERVICE, {
    start: false,
    change: (config) => {
      config['services'][SERVICE].files = { read: ['${data_dir}/long.txt'] };
      const budget = { turns: 200, usd: 1_000, tokens: 100_000_000, usd_per_day: 100_000 };
      config['agent'] = { budget };
    },
  });
  const { dataDir } = bench.faulty.workspace;
  mkdirSync(dataDir, { recursive: true });
  writeFileSync(join(dataDir, 'long.txt'), LINE.repeat(2_000));
  await bench.run();
});
afterAll(async () => {
  await bench.dispose();
});
afterEach(() => {
  expect(bench.model.problems).toEqual([]);
});

const read = (offset: number, limit: number): ScriptedTurn => ({
  thinking: 'The next part.',
  calls: [
    { name: 'read_file', input: { path: join(bench.faulty.workspace.dataDir, 'long.txt'), offset, limit } },
  ],
});
const note = (length: number): ScriptedTurn => ({
  calls: [{ name: 'add_ticket_note', input: { text: 'n'.repeat(length) } }],
});

it('200 turns with 6 KB each: the ticket closes as fixed, and its history stays below 5 MB', async () => {
  const reads = Array.from({ length: READS }, (_none, index) => read(index + 1, 100));
  const outcome = await bench.fail({ say: beginWith(...reads) }, { limitMs: 350_000 });
  expectFixedBy('claude', outcome);
  expect(outcome.requests.length).toBe(READS + 3);
  const sizes = await bench.withTemporal(async ({ client }) => {
    const [since, id] = [String(outcome.ticket['created_at']), String(outcome.ticket['workflow_id'])];
    const found: number[] = [];
    // A long ticket may go on in a new run.
    for await (const { runId } of client.workflow.list({
      query: `WorkflowId = '${id}' AND StartTime >= '${since}'`,
    })) {
      found.push((await client.workflow.getHandle(id, runId).describe()).historySize ?? 0);
    }
    return found;
  });
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(READS * 6_000);
  expect(Math.max(...sizes)).toBeLessThan(MAX_HISTORY_BYTES);
});

it('a read of 120 KB and a note that is too long: neither goes into the history whole', async () => {
  const outcome = await bench.fail({ say: beginWith(read(1, 2_000), note(MAX_NOTE + 1), note(MAX_NOTE)) });
  expectFixedBy('claude', outcome);
  const contents = outcome.history.flatMap((event) => {
    if (event.type !== 'activity_completed') return [];
    const { content } = (event.result ?? {}) as { readonly content?: unknown };
    return typeof content === 'string' ? [Buffer.byteLength(content)] : [];
  });
  expect(Math.max(...contents)).toBeGreaterThan(MAX_RESULT_BYTES - 200);
  expect(Math.max(...contents)).toBeLessThanOrEqual(MAX_RESULT_BYTES);
  const notes = outcome.trajectory['notes'] as { text: string }[];
  expect(notes.map(({ text }) => text.length)).toEqual([MAX_NOTE]);
});
