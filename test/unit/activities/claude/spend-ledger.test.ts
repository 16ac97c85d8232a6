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

const tokens = { input: 10, cacheWrite5m: 5, cacheWrite1h: 1, cacheRead: 1_000, output: 4 };
type Entry = Parameters<SpendLedger['record']>[0];
const spent = (over: Partial<Entry> = {}): Entry => ({
  at: now().toISOString(),
  ticketId: 'T1',
  attempt: 1,
  model: 'claude-opus-5-5',
  tokens,
  usd: 0.25,
  ...over,
});
const file = (day: string) => join(paths.spend(dataDir), `${day}.ndjson`);

describe('createSpendLedger', () => {
  it('nothing recorded: nothing spent', async () => {
    const ledger = createSpendLedger(dataDir, now);
    expect(await ledger.today()).toEqual({ day: '2026-03-10', usd: 0 });
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ calls: 0, usd: 0, tokens: 0, unpricedCalls: 0 });
  });

  it('sums the calls of one attempt; the day has those of all tickets and analyses', async () => {
    const ledger = createSpendLedger(dataDir, now);
    await ledger.record(spent());
    await ledger.record(spent({ usd: 0.5 }));
    await ledger.record(spent({ usd: null }));
    await ledger.record(spent({ attempt: 2 }));
    await ledger.record(spent({ ticketId: 'T2' }));
    await ledger.record(spent({ attempt: null, usd: 1 }));
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({
      calls: 3,
      usd: 0.75,
      tokens: 3 * 20,
      unpricedCalls: 1,
    });
    expect(await ledger.today()).toEqual({ day: '2026-03-10', usd: 2.25 });
  });

  it('another process reads what this one wrote; nobody else may', async () => {
    await createSpendLedger(dataDir, now).record(spent());
    expect(await createSpendLedger(dataDir, now).ofAttempt('T1', 1)).toMatchObject({ calls: 1 });
    expect((await stat(file('2026-03-10'))).mode & 0o777).toBe(0o600);
    expect((await stat(paths.spend(dataDir))).mode & 0o777).toBe(0o700);
  });

  it('over midnight, UTC: the attempt goes on, the day begins at nothing', async () => {
    const ledger = createSpendLedger(dataDir, now);
    nowMs = at('2026-03-10T23:59:59.999Z');
    await ledger.record(spent());
    nowMs = at('2026-03-11T00:00:00.000Z');
    expect(await ledger.today()).toEqual({ day: '2026-03-11', usd: 0 });
    await ledger.record(spent({ usd: 0.5 }));
    expect(await ledger.today()).toEqual({ day: '2026-03-11', usd: 0.5 });
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ calls: 2, usd: 0.75 });
    expect((await readdir(paths.spend(dataDir))).sort()).toEqual(['2026-03-10.ndjson', '2026-03-11.ndjson']);
    nowMs = at('2026-03-12T00:00:00.000Z');
    expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ calls: 1, usd: 0.5 });
  });

  it.each(['{"at":"2026-03-10T', 'null', '{"usd":"much"}', '{"ticketId":"T1","attempt":1,"usd":9}'])(
    'a line that a crash cut off or that is none (%s): not counted, and the next one is',
    async (torn) => {
      const ledger = createSpendLedger(dataDir, now);
      await ledger.record(spent());
      await appendFile(file('2026-03-10'), torn);
      await ledger.record(spent());
      expect(await ledger.ofAttempt('T1', 1)).toMatchObject({ calls: 2, usd: 0.5 });
      expect((await ledger.today()).usd).toBe(0.5);
    },
  );

  it('two that write at once: every line is counted', async () => {
    const [one, other] = [createSpendLedger(dataDir, now), createSpendLedger(dataDir, now)];
    const model = 'm'.repeat(2_000);
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        (index % 2 === 0 ? one : other).record(spent({ attempt: (index % 2) + 1, model })),
      ),
    );
    for (const attempt of [1, 2]) {
      expect(await one.ofAttempt('T1', attempt)).toMatchObject({ calls: 100, usd: 25 });
    }
    expect((await other.today()).usd).toBe(50);
  });

  it('costs that cannot be written or read are an error: nobody spends without a budget', async () => {
    await writeFile(paths.spend(dataDir), '');
    const ledger = createSpendLedger(dataDir, now);
    await expect(ledger.record(spent())).rejects.toThrow();
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
    await ledger.record(spent({ usd: 1 }));
    nowMs = TODAY;
    await ledger.record(spent());
    await ledger.record(spent({ usd: null }));
    const expected = { todayUsd: 0.25, totalUsd: 1.25, since: '2026-03-01', unpricedCalls: 1 };
    expect(await read()).toEqual(expected);
    await ledger.record(spent());
    expect(await read()).toEqual({ ...expected, todayUsd: 0.5, totalUsd: 1.5 });
    await pruneSpend(dataDir, at('2026-06-01T00:00:00.000Z'));
    expect(await read()).toEqual({ ...expected, todayUsd: 0.5, totalUsd: 0.5, since: '2026-03-10' });
  });

  it('reads a day again only when it has grown', async () => {
    const ledger = createSpendLedger(dataDir, now);
    await ledger.record(spent());
    const read = createSpendReader(dataDir, now);
    expect((await read()).totalUsd).toBe(0.25);
    const text = await readFile(file('2026-03-10'), 'utf8');
    await writeFile(file('2026-03-10'), text.replace('0.25', '9.99'));
    expect((await read()).totalUsd).toBe(0.25);
    await ledger.record(spent());
    expect((await read()).totalUsd).toBe(10.24);
  });
});
