import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveActivity } from '../../../src/activities/archive';
import { archivePath, readArchived } from '../../../src/client/archive-reader';
import { paths } from '../../../src/config/paths';
import type { HistoryEvent } from '../../../src/domain/history-event';
import { activityEnvironment } from '../../support/activity-environment';

const AT = '2026-01-31T23:59:59.999Z';
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'harness-archive-'));
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

const events: readonly HistoryEvent[] = [
  {
    id: 1,
    at: AT,
    type: 'started',
    workflowId: 'api_ok',
    runId: 'r1',
    workflowType: 'RemediateTicket',
    input: [{ ticket: { id: 'T1', invariantId: 'api_ok' } }],
    continuedFrom: null,
    searchAttributes: { TicketStatus: 'completed', TicketResolution: 'fixed' },
    memo: {},
  },
];

async function run(ticketId = 'T1', history = events): Promise<void> {
  const log = { info: () => undefined };
  const { archiveTicket } = archiveActivity({ readHistory: () => Promise.resolve(history), dataDir, log });
  await activityEnvironment().run(archiveTicket, {
    workflowId: 'api_ok',
    runId: 'r1',
    ticketId,
  });
}

it('twice: one whole file in the month of its run, with the final status, and nothing beside it', async () => {
  await run();
  await run();
  expect(await readdir(paths.archive(dataDir))).toEqual(['2026-01']);
  expect(await readdir(join(paths.archive(dataDir), '2026-01'))).toEqual([
    `${AT.replace(/[:.]/g, '-')}.api_ok.T1.json`,
  ]);
  expect(await readArchived(dataDir, 'T1')).toMatchObject({
    status: 'completed',
    resolution: 'fixed',
    run: 'completed',
  });
});

it.each(['other', '../T1'])(
  'ticket ID %j is not that of the history: refused for good, nothing is written',
  async (id) => {
    await expect(run(id)).rejects.toMatchObject({ type: 'InvalidInput', nonRetryable: true });
    await expect(readdir(paths.archive(dataDir))).rejects.toThrow();
  },
);

it('a folder that is a file: Storage, retryable, naming the path', async () => {
  await writeFile(paths.archive(dataDir), '');
  await expect(run()).rejects.toMatchObject({
    type: 'Storage',
    nonRetryable: false,
    message: expect.stringContaining(archivePath(dataDir, { id: 'T1', invariantId: 'api_ok' }, AT)) as string,
  });
});
