import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SpendLedger } from '../../../../src/activities/claude/spend-ledger';
import { createSpendLedger, pruneSpend } from '../../../../src/activities/claude/spend-ledger';
import { createSpendReader } from '../../../../src/client/spend-reader';
import { paths } from '../../../../src/config/paths';

let dataDir: string;
let nowMs: number;
const now = () => new Date(nowMs);
const at = (text: string) => Date.parse(text);
const TODAY = at('2026-03-10T12:00:00.000Z');

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-spend-'));
  nowMs = TODAY;
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

type Call = Parameters<SpendLedger['record']>[0];
/** Costs so much by the price table, at 20 USD per million tokens of output; null: by no table. */
const call = (usd: number | null = 0.25, over: Partial<Call> = {}): Call => ({
  ticketId: 'T1',
  attempt: 1,
  model: usd === null ? 'llama' : 'claude-opus-5-5',
  usage: { output_tokens: (usd ?? 0.25) * 50_000, cache_read_input_tokens: 0 },
  ...over,
});
const file = (day: string) => join(paths.spend(dataDir), `${day}.ndjson`);

describe('createSpendLedger', () => {
  it('nothing recorded: nothing spent', async () => {
    const ledger = createSpendLedger(dataDir, now);
    expect(await ledger.today()).toBe(0);
    expect(await ledger.ofAttempt('T1', 1)).toEqual({ usd: 0, tokens: 0 });
  });

  it('sums the calls of one attempt; the day has those of all tickets and analyses', async () => {
    const ledger = createSpendLedger(dataDir, now);
    await ledger.record(call());
    await ledger.record(call(0.5));
    await ledger.record(call(null));
    await ledger.record(call(0.25, { attempt: 2 }));
    await ledger.record(call(0.25, { ticketId: 'T2' }));
    await ledger.record(call(1, { attempt: null }));
    expect(await ledger.ofAttempt('T1', 1)).toEqual({ usd: 0.75, tokens: 50_000 });
    expect(await ledger.today()).toBe(2.25);
  });

  it('another process reads what this one wrote; nobody else may', async () => {
    await createSpendLedger(dataDir, now).record(call());
    expect(await createSpendLedger(dataDir, now).ofAttempt('T1', 1)).toEqual({ usd: 0.25, tokens: 12_500 });
    expect((await stat(file('2026-03-10'))).mode & 0o777).toBe(0o600);
    expect((await stat(paths.spend(dataDir))).mode & 0o777).toBe(0o700);
  });

  it('over midnight, UTC: the attempt goes on, the day begins at nothing', async () => {
    const ledger = createSpendLedger(dataDir, now);
    nowMs = at('2026-03-10T23:59:59.999Z');
    await ledger.record(call());
    nowMs = at('2026-03-11T00:00:00.000Z');
    expect(await ledger.today()).toBe(0);
    await ledger.record(call(0.5));
    expect(await ledger.today()).toBe(0.5);
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ usd: 0.75 });
    expect((await readdir(paths.spend(dataDir))).sort()).toEqual(['2026-03-10.ndjson', '2026-03-11.ndjson']);
    nowMs = at('2026-03-12T00:00:00.000Z');
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ usd: 0.5 });
  });

  it.each(['{"at":"2026-03-10T', 'null', '{"usd":"much"}', '{"ticketId":"T1","attempt":1,"usd":9}'])(
    'a line that a crash cut off or that is none (%s): not counted, and the next one is',
    async (torn) => {
      const ledger = createSpendLedger(dataDir, now);
      await ledger.record(call());
      await appendFile(file('2026-03-10'), torn);
      await ledger.record(call());
      expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ usd: 0.5 });
      expect(await ledger.today()).toBe(0.5);
    },
  );

  it('two that write at once: every line is counted', async () => {
    const [one, other] = [createSpendLedger(dataDir, now), createSpendLedger(dataDir, now)];
    // Long lines: a write that is not whole would show.
    const ticketId = 'T'.repeat(2_000);
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 === 0 ? one : other).record(call(0.25, { attempt: (index % 2) + 1, ticketId })),
      ),
    );
    for (const attempt of [1, 2]) {
      expect(await one.ofAttempt(ticketId, attempt)).toMatchObject({ usd: 25 });
    }
    expect(await other.today()).toBe(50);
  });

  it('costs that cannot be written or read are an error: nobody spends without a budget', async () => {
    await writeFile(paths.spend(dataDir), '');
    const ledger = createSpendLedger(dataDir, now);
    await expect(ledger.record(call())).rejects.toThrow();
    await expect(ledger.today()).rejects.toThrow();
  });
});

describe('pruneSpend', () => {
  it('keeps 90 days and what is none of its files', async () => {
    await mkdir(paths.spend(dataDir));
    const kept = ['2025-12-10.ndjson', '2026-03-10.ndjson', 'notes.txt', '2025-01-01.ndjson.bak'];
    for (const name of [...kept, '2025-12-09.ndjson', '2024-01-01.ndjson']) {
      await writeFile(join(paths.spend(dataDir), name), '');
    }
    await pruneSpend(dataDir, TODAY);
    expect((await readdir(paths.spend(dataDir))).sort()).toEqual([...kept].sort());
  });

  it('nothing was ever spent: nothing to do', async () => {
    await pruneSpend(dataDir, TODAY);
    expect(await readdir(dataDir)).toEqual([]);
  });
});

describe('createSpendReader', () => {
  it('today, all that is kept and since when; calls without a price are counted', async () => {
    const ledger = createSpendLedger(dataDir, now);
    const read = createSpendReader(dataDir, now);
    expect(await read()).toEqual({ todayUsd: 0, totalUsd: 0, since: null, unpricedCalls: 0 });
    nowMs = at('2026-03-01T00:00:00.000Z');
    await ledger.record(call(1));
    nowMs = TODAY;
    await ledger.record(call());
    await ledger.record(call(null));
    const expected = { todayUsd: 0.25, totalUsd: 1.25, since: '2026-03-01', unpricedCalls: 1 };
    expect(await read()).toEqual(expected);
    await ledger.record(call());
    expect(await read()).toEqual({ ...expected, todayUsd: 0.5, totalUsd: 1.5 });
    await pruneSpend(dataDir, at('2026-06-01T00:00:00.000Z'));
    expect(await read()).toEqual({ ...expected, todayUsd: 0.5, totalUsd: 0.5, since: '2026-03-10' });
  });

  it('reads a day again only when it has grown', async () => {
    const ledger = createSpendLedger(dataDir, now);
    await ledger.record(call());
    const read = createSpendReader(dataDir, now);
    expect((await read()).totalUsd).toBe(0.25);
    const text = await readFile(file('2026-03-10'), 'utf8');
    await writeFile(file('2026-03-10'), text.replace('0.25', '9.99'));
    expect((await read()).totalUsd).toBe(0.25);
    await ledger.record(call());
    expect((await read()).totalUsd).toBe(10.24);
  });
});
