import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { WorkflowNotFoundError } from '@temporalio/common';
import { keepRunActivity } from '../../../src/activities/keep-run';
import { pruneKeptRuns } from '../../../src/activities/prune-kept-runs';
import { archivePath } from '../../../src/client/archive-reader';
import { keptRunPath, listKeptRuns, readKeptRun } from '../../../src/client/kept-runs';
import { MAX_EARLIER } from '../../../src/client/ticket-history';
import { paths } from '../../../src/config/paths';
import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { HistoryEvent } from '../../../src/domain/history-event';
import { activityEnvironment } from '../../support/activity-environment';
import { makeTempDirs } from '../../support/tool-deps';

const AT = '2026-01-31T23:59:59.999Z';
const makeTempDir = makeTempDirs();

/** The n-th run of the ticket. */
const runOf = (number: number, ticketId = 'T1'): readonly HistoryEvent[] => [
  {
    id: 1,
    at: AT,
    type: 'started',
    workflowId: 'api_ok',
    runId: `r${number}`,
    workflowType: 'RemediateTicket',
    input: [
      {
        ticket: { id: ticketId, invariantId: 'api_ok' },
        ...(number > 1 && { carried: { earlierRuns: number - 1 } }),
      },
    ],
    continuedFrom: number > 1 ? `r${number - 1}` : null,
    searchAttributes: { TicketStatus: 'blocked' },
    memo: { attempt: number, blocked_on: 'person' },
  },
  { id: 2, at: AT, type: 'other', name: 'workflowTaskScheduled' },
  {
    id: 3,
    at: AT,
    type: 'signaled',
    signal: 'note',
    by: 'w',
    input: [{ at: AT, by: 'ana', text: `note ${number}`, signature: `n${number}` }],
  },
  { id: 4, at: AT, type: 'continued_as_new', newRunId: `r${number + 1}` },
];

async function keep(
  dataDir: string,
  number: number,
  { ticketId = 'T1', read = (): Promise<readonly HistoryEvent[]> => Promise.resolve(runOf(number)) } = {},
): Promise<string[]> {
  const warnings: string[] = [];
  const log = {
    info: () => undefined,
    warn: (_facts: object, text?: string) => void warnings.push(text ?? ''),
  };
  const { keepRun } = keepRunActivity({ dataDir, readRun: read, log });
  await activityEnvironment().run(keepRun, { workflowId: 'api_ok', runId: `r${number}`, ticketId });
  return warnings;
}

it('kept twice: one private file, from which the same story is folded', async () => {
  const dataDir = makeTempDir();
  await keep(dataDir, 2);
  await keep(dataDir, 2);
  const [kept, ...others] = await listKeptRuns(dataDir, 'T1');
  expect(others).toEqual([]);
  expect(kept).toMatchObject({ runId: 'r2', number: 2 });
  const events = kept && (await readKeptRun(kept));
  expect(foldTrajectory(events ?? [])).toEqual(foldTrajectory(runOf(2)));
  expect(events?.map(({ type }) => type)).toEqual(['started', 'signaled', 'continued_as_new']);
  expect(statSync(kept?.path ?? '').mode & 0o777).toBe(0o600);
  expect(readdirSync(paths.archive(dataDir))).toEqual(['segments']);
});

it('very many runs: the first and the last ones stay', async () => {
  const dataDir = makeTempDir();
  const LAST = MAX_EARLIER + 10;
  for (let number = 1; number <= LAST; number += 1) await keep(dataDir, number);
  const numbers = (await listKeptRuns(dataDir, 'T1')).map(({ number }) => number);
  expect(numbers).toEqual([1, ...Array.from({ length: MAX_EARLIER + 1 }, (_, n) => LAST - MAX_EARLIER + n)]);
});

it('a run that the server has forgotten: said, and nothing is written', async () => {
  const dataDir = makeTempDir();
  const read = () => Promise.reject(new WorkflowNotFoundError('gone', 'api_ok', 'r1'));
  expect(await keep(dataDir, 1, { read })).toHaveLength(1);
  expect(await listKeptRuns(dataDir, 'T1')).toEqual([]);
});

it.each(['other', '../T1'])('ticket ID %j is not that of the run: refused for good', async (ticketId) => {
  await expect(keep(makeTempDir(), 1, { ticketId })).rejects.toMatchObject({
    type: 'InvalidInput',
    nonRetryable: true,
  });
});

it('a folder that is a file: Storage, retryable', async () => {
  const dataDir = makeTempDir();
  writeFileSync(paths.archive(dataDir), '');
  await expect(keep(dataDir, 1)).rejects.toMatchObject({ type: 'Storage', nonRetryable: false });
});

it('a file that is no run is read as none', async () => {
  const path = keptRunPath(makeTempDir(), { ticketId: 'T1', runId: 'r1', number: 1 });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'half a fi');
  expect(await readKeptRun({ path, runId: 'r1', number: 1 })).toBeNull();
});

it('pruned: only what the archive holds and the server does not know any more', async () => {
  const dataDir = makeTempDir();
  for (const ticketId of ['open', 'on-server', 'over']) {
    await keep(dataDir, 1, { ticketId, read: () => Promise.resolve(runOf(1, ticketId)) });
    if (ticketId === 'open') continue;
    const path = archivePath(dataDir, { id: ticketId, invariantId: 'api_ok' }, AT);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '{}');
  }
  await pruneKeptRuns(dataDir, (ticketId) => Promise.resolve(ticketId === 'on-server'));
  expect(readdirSync(join(paths.archive(dataDir), 'segments')).sort()).toEqual(['on-server', 'open']);
  await expect(
    pruneKeptRuns(dataDir, () => Promise.reject(new Error('the server does not answer'))),
  ).rejects.toThrow('does not answer');
  expect(readdirSync(paths.segments(dataDir))).toHaveLength(2);
});
