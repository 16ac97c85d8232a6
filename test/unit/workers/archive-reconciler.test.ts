import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archivedTicketIds, readArchived } from '../../../src/client/archive-reader';
import { listKeptRuns } from '../../../src/client/kept-runs';
import type { HistoryEvent } from '../../../src/domain/history-event';
import { reconcileArchive } from '../../../src/workers/archive-reconciler';
import { T0 } from '../../support/invariants';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-reconcile-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const run = (ticketId: string) => ({ ticketId, workflowId: 'api_ok', runId: ticketId, startedAt: T0 });
const terminated = (ticketId: string): readonly HistoryEvent[] => [
  {
    id: 1,
    at: T0,
    type: 'started',
    workflowId: 'api_ok',
    runId: ticketId,
    workflowType: 'RemediateTicket',
    input: [{ ticket: { id: ticketId, invariantId: 'api_ok' } }],
    continuedFrom: null,
    searchAttributes: { TicketStatus: 'in_progress' },
    memo: {},
  },
  { id: 2, at: T0, type: 'terminated', reason: 'by hand', by: 'ana' },
];

it('archives what has no file, once; one that cannot be read keeps no other from its place', async () => {
  const read: string[] = [];
  const warnings: object[] = [];
  const reconcile = () =>
    reconcileArchive({
      dataDir,
      closedRuns: () => Promise.resolve([run('T1'), run('gone'), run('T2')]),
      continuedRuns: () => Promise.resolve([]),
      readRun: () => Promise.reject(new Error('there is no earlier run')),
      readHistory: (_workflowId, runId) => {
        read.push(runId);
        return runId === 'gone' ? Promise.reject(new Error('forgotten')) : Promise.resolve(terminated(runId));
      },
      log: { info: () => undefined, warn: (context: object) => void warnings.push(context) },
    });
  await reconcile();
  expect([...(await archivedTicketIds(dataDir))].sort()).toEqual(['T1', 'T2']);
  expect(await readArchived(dataDir, 'T2')).toMatchObject({ status: 'failed', run: 'terminated' });
  expect(warnings).toMatchObject([{ ticketId: 'gone' }]);
  read.length = 0;
  await reconcile();
  expect(read).toEqual(['gone']);
});

it('keeps continued runs that have no file, once; one that cannot be read keeps no other from its place', async () => {
  const read: string[] = [];
  const warnings: object[] = [];
  const reconcile = () =>
    reconcileArchive({
      dataDir,
      closedRuns: () => Promise.resolve([]),
      continuedRuns: () => Promise.resolve([run('T1'), run('broken'), run('T2')]),
      readHistory: () => Promise.reject(new Error('no ticket has closed')),
      readRun: (_workflowId, runId) => {
        read.push(runId);
        return runId === 'broken' ? Promise.reject(new Error('broken')) : Promise.resolve(terminated(runId));
      },
      log: { info: () => undefined, warn: (context: object) => void warnings.push(context) },
    });
  await reconcile();
  expect(await listKeptRuns(dataDir, 'T1')).toMatchObject([{ runId: 'T1', number: 1 }]);
  expect(await listKeptRuns(dataDir, 'T2')).toHaveLength(1);
  expect(warnings).toMatchObject([{ ticketId: 'broken' }]);
  read.length = 0;
  await reconcile();
  expect(read).toEqual(['broken']);
});
