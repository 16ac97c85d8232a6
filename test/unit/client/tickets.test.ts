import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/common';
import { archiveName } from '../../../src/client/archive-name';
import { archivePath, readArchived } from '../../../src/client/archive-reader';
import { editJournalPath } from '../../../src/client/edit-journal-reader';
import { visibilityQuery } from '../../../src/client/ticket-runs';
import type { TicketSource } from '../../../src/client/tickets';
import { createTicketReader } from '../../../src/client/tickets';
import { paths } from '../../../src/config/paths';
import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { HistoryEvent } from '../../../src/domain/history-event';
import type { Json } from '../../../src/domain/json';
import type { TicketStatus } from '../../../src/domain/ticket';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-tickets-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

interface Known {
  readonly id: string;
  readonly at: string;
  readonly status?: TicketStatus;
  readonly invariant?: string;
  readonly forgotten?: boolean;
}

function historyOf({ id, at, status = 'pending', invariant = 'api_ok' }: Known): HistoryEvent[] {
  const ticket: Json = { id, invariantId: invariant, service: 'api', detectedAt: at, createdAt: at };
  return [
    {
      id: 1,
      at,
      type: 'started',
      workflowId: invariant,
      runId: `run-${id}`,
      workflowType: 'RemediateTicket',
      input: [{ ticket }],
      continuedFrom: null,
      searchAttributes: { TicketStatus: status },
      memo: {},
    },
    ...(status === 'completed' || status === 'failed'
      ? [{ id: 2, at, type: 'completed', result: null } as const]
      : []),
  ];
}

/** A server that knows these runs; it counts how often a history was read. */
function server(...tickets: Known[]): TicketSource & { reads: number } {
  return {
    reads: 0,
    runs: ({ ticketId }) =>
      Promise.resolve(
        tickets
          .filter(({ id }) => ticketId === undefined || id === ticketId)
          .map(({ id, at }) => ({ ticketId: id, workflowId: 'w', runId: `run-${id}`, startedAt: at })),
      ),
    history(run) {
      this.reads += 1;
      const found = tickets.find(({ id }) => id === run.ticketId);
      if (!found || found.forgotten) return Promise.reject(new WorkflowNotFoundError('gone', 'w', run.runId));
      return Promise.resolve(historyOf(found));
    },
  };
}

async function archive(...tickets: Known[]): Promise<void> {
  for (const ticket of tickets) {
    const { id, invariant: invariantId = 'api_ok', at } = ticket;
    const path = archivePath(dataDir, { id, invariantId }, at);
    await mkdir(dirname(path), { recursive: true });
    const trajectory = foldTrajectory(historyOf({ status: 'completed', ...ticket }));
    await writeFile(path, JSON.stringify({ version: 1, archived_at: ticket.at, trajectory }));
  }
}

const reader = (source: TicketSource) =>
  createTicketReader({ source, namespace: 'ns', dataDir, uiUrl: () => Promise.resolve(null) });
const ids = (page: { items: readonly { id: string }[] }) => page.items.map(({ id }) => id);

it('runs and archives are one list, newest first, each ticket once', async () => {
  await archive(
    { id: 'old', at: '2025-11-03T00:00:00.000Z' },
    { id: 'both', at: '2026-01-02T00:00:00.000Z' },
  );
  const live = server(
    { id: 'new', at: '2026-01-03T00:00:00.000Z' },
    { id: 'both', at: '2026-01-02T00:00:00.000Z', status: 'failed' },
  );
  const page = await reader(live).list({ limit: 10 });
  expect(ids(page)).toEqual(['new', 'both', 'old']);
  expect(page.items[1]?.status).toBe('failed');
  expect(page.nextCursor).toBeNull();
});

it('pages over several months and equal times: every ticket exactly once, whatever arrives in between', async () => {
  const at = '2026-01-02T00:00:00.000Z';
  await archive(
    { id: 'a', at: '2025-10-01T00:00:00.000Z' },
    { id: 'b', at: '2025-11-01T00:00:00.000Z' },
    { id: 'c', at },
    { id: 'd', at },
  );
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < 10; page += 1) {
    const tickets = [
      { id: 'e', at },
      ...(page === 0 ? [] : [{ id: 'newer', at: '2026-02-01T00:00:00.000Z' }]),
    ];
    const answer = await reader(server(...tickets)).list({
      limit: 2,
      ...(cursor !== undefined && { cursor }),
    });
    seen.push(...ids(answer));
    if (answer.nextCursor === null) break;
    cursor = answer.nextCursor;
  }
  expect(seen).toEqual(['e', 'd', 'c', 'b', 'a']);
});

it.each([
  ['open', ['pending', 'blocked']],
  ['completed', ['archived', 'done']],
  ['failed', ['cancelled']],
  ['blocked', ['blocked']],
] as const)('status %s: the history decides, not visibility', async (status, expected) => {
  await archive({ id: 'archived', at: '2026-01-09T00:00:00.000Z' });
  const source = server(
    { id: 'pending', at: '2026-01-04T00:00:00.000Z' },
    { id: 'blocked', at: '2026-01-03T00:00:00.000Z', status: 'blocked' },
    { id: 'done', at: '2026-01-02T00:00:00.000Z', status: 'completed' },
    { id: 'cancelled', at: '2026-01-01T00:00:00.000Z', status: 'failed' },
  );
  expect(ids(await reader(source).list({ limit: 10, status }))).toEqual(expected);
});

it('a run whose history is gone already: answered from the archive; without one it is left out', async () => {
  const at = '2026-01-02T00:00:00.000Z';
  await archive({ id: 'kept', at });
  const source = server({ id: 'kept', at, forgotten: true }, { id: 'lost', at, forgotten: true });
  expect(ids(await reader(source).list({ limit: 10 }))).toEqual(['kept']);
  expect(await reader(source).get('kept')).toMatchObject({ status: 'completed' });
  expect(await reader(source).get('lost')).toBeNull();
});

it('what a person undid since is told with the ticket, from the archive too; another ticket’s is not', async () => {
  const at = '2026-01-02T00:00:00.000Z';
  await archive({ id: 'kept', at }, { id: 'other', at });
  const entry = {
    at: '2026-02-01T00:00:00.000Z',
    operation: 'undo/kept/r/1',
    ticket: 'kept',
    tool: 'undo_edits',
    path: '/etc/api.json',
    before: { sha256: 'good', mode: 0o644 },
    after: { sha256: 'bad', mode: 0o644 },
    person: { by: 'ana', reason: 'meant so' },
  };
  const path = editJournalPath(dataDir, 'api');
  await mkdir(dirname(path), { recursive: true });
  const lines = ['begun', 'done'].map((phase) => JSON.stringify({ ...entry, phase }));
  await writeFile(path, `${lines.join('\n')}\n`);
  const tickets = reader(server());
  expect(await tickets.get('kept')).toMatchObject({
    status: 'completed',
    undone: { at: entry.at, by: 'ana', reason: 'meant so', files: ['/etc/api.json'] },
  });
  expect((await tickets.get('kept'))?.timeline.at(-1)).toMatchObject({ at: entry.at, kind: 'undone' });
  expect(await tickets.get('other')).toMatchObject({ undone: null });
});

it('an archive of a version that knew no models: read as one without costs', async () => {
  const at = '2026-01-02T00:00:00.000Z';
  const path = archivePath(dataDir, { id: 'old', invariantId: 'limiter_healthy' }, at);
  await mkdir(dirname(path), { recursive: true });
  const folded = foldTrajectory(historyOf({ id: 'old', at, status: 'completed' }));
  const turn = { turn: 1, attempt: 0, brain: 'runbook', text: '', startedAt: at, endedAt: at, calls: [] };
  const file = { version: 1, archived_at: at, trajectory: { ...folded, turns: [turn] } };
  const isNew = (key: string) => ['costUsd', 'attemptCostUsd'].includes(key);
  await writeFile(
    path,
    JSON.stringify(file, (key, value: unknown) => (isNew(key) ? undefined : value)),
  );
  expect(await readFile(path, 'utf8')).not.toContain('ostUsd');
  expect(await readArchived(dataDir, 'old')).toMatchObject({
    costUsd: null,
    attemptCostUsd: null,
    turns: [{ ...turn, model: null }],
  });
  expect(await reader(server()).get('old')).toMatchObject({
    brains: ['runbook'],
    cost: { usd: 0, tokens: { input: 0, output: 0 } },
    used: { turns: 1, usd: 0, tokens: 0 },
  });
});

it('closed runs are read once, open ones each time', async () => {
  const source = server(
    { id: 'open', at: '2026-01-02T00:00:00.000Z' },
    { id: 'done', at: '2026-01-01T00:00:00.000Z', status: 'completed' },
  );
  const tickets = reader(source);
  for (let again = 0; again < 3; again += 1) await tickets.list({ limit: 10 });
  expect(source.reads).toBe(3 + 1);
});

it('an error of the server is not taken for a forgotten run', async () => {
  const broken = {
    ...server({ id: 'a', at: '2026-01-01T00:00:00.000Z' }),
    history: () => Promise.reject(new Error('down')),
  };
  await expect(reader(broken).list({ limit: 1 })).rejects.toThrow('down');
});

it.each(['', 'x', Buffer.from('[1]').toString('base64url'), Buffer.from('{}').toString('base64url')])(
  'cursor %j: refused, with the way out',
  async (cursor) => {
    await expect(reader(server()).list({ limit: 1, cursor })).rejects.toThrow(
      /next_cursor of the page before/,
    );
  },
);

it.each(['../../etc/passwd', 'a/b', '', "x' OR 'a'='a"])('ID %j: never looked up', async (id) => {
  const never: TicketSource = {
    runs: () => Promise.reject(new Error('the server was asked')),
    history: () => Promise.reject(new Error('the server was asked')),
  };
  expect(await reader(never).get(id)).toBeNull();
  expect(await readArchived(dataDir, id)).toBeNull();
});

it('an archive file named by its ticket alone has its place in the list, and is found by its ID', async () => {
  const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;
  const tickets = [1, 2, 3].map((day) => ({ id: `t${day}`, at: at(day) }));
  await archive(...tickets);
  await rename(
    archivePath(dataDir, { id: 't2', invariantId: 'api_ok' }, at(2)),
    join(paths.archive(dataDir), '2026-01', 't2.json'),
  );
  const pages = reader(server());
  const first = await pages.list({ limit: 2, invariant: 'api_ok' });
  expect(ids(first)).toEqual(['t3', 't2']);
  expect(ids(await pages.list({ limit: 2, cursor: String(first.nextCursor) }))).toEqual(['t1']);
  expect(await pages.get('t2')).toMatchObject({ id: 't2' });
});

it('the last tickets of an invariant among many: no other file is opened', async () => {
  const at = (n: number) => new Date(Date.parse('2026-01-01T00:00:00.000Z') + n * 60_000).toISOString();
  const many = Array.from({ length: 300 }, (_, n) => ({ id: `t${n}`, at: at(n) }));
  const folder = join(paths.archive(dataDir), '2026-01');
  await mkdir(folder, { recursive: true });
  // Opening one of these fails loudly: it is a folder.
  await Promise.all(many.map(({ id, at }) => mkdir(join(folder, archiveName(id, 'other_ok', at)))));
  await archive(...[5, 7, 9].map((n) => ({ id: `mine${n}`, at: at(n) })));
  const page = await reader(server()).list({ limit: 2, invariant: 'api_ok' });
  expect(ids(page)).toEqual(['mine9', 'mine7']);
});

it.each(['not json', '{"version":2}', '{"version":1,"archived_at":"x","trajectory":{}}'])(
  'an archive file with %j is left out',
  async (text) => {
    const path = archivePath(dataDir, { id: 'a', invariantId: 'api_ok' }, '2026-01-01T00:00:00.000Z');
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    expect(await readArchived(dataDir, 'a')).toBeNull();
    expect(ids(await reader(server()).list({ limit: 5 }))).toEqual([]);
  },
);

it('the visibility query quotes what comes from outside and never orders', () => {
  expect(visibilityQuery({ service: "it's \\ odd", status: 'failed' })).toBe(
    "WorkflowType = 'RemediateTicket' AND ExecutionStatus != 'ContinuedAsNew' AND ServiceName = 'it\\'s \\\\ odd'" +
      " AND (TicketStatus = 'failed' OR ExecutionStatus IN ('Failed', 'Canceled', 'Terminated', 'TimedOut'))",
  );
});
