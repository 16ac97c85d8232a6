import { WorkflowNotFoundError } from '@temporalio/common';
import { encodeRun, keptRunPath } from '../../../src/client/kept-runs';
import type { TemporalAccess } from '../../../src/client/temporal';
import { createHistoryReader, MAX_EARLIER } from '../../../src/client/ticket-history';
import { writeDurably } from '../../../src/activities/write-durably';
import type { HistoryEvent } from '../../../src/domain/history-event';
import { makeTempDirs } from '../../support/tool-deps';

const makeTempDir = makeTempDirs();
const payload = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const inputOf = (number: number) => ({
  ticket: { id: 'T1', invariantId: 'api_ok' },
  ...(number > 1 && { carried: { earlierRuns: number - 1 } }),
});

/** A server that still has these runs of the chain r1, r2, …; it notes which were asked for. */
function server(...numbers: number[]) {
  const asked: string[] = [];
  const getHandle = (_workflowId: string, runId: string) => ({
    fetchHistory: () => {
      asked.push(runId);
      const number = numbers.find((one) => `r${one}` === runId);
      if (number === undefined) return Promise.reject(new WorkflowNotFoundError('gone', 'api_ok', runId));
      const started = {
        workflowId: 'api_ok',
        input: { payloads: [payload(inputOf(number))] },
        continuedExecutionRunId: number > 1 ? `r${number - 1}` : '',
      };
      return Promise.resolve({ events: [{ eventId: 1, workflowExecutionStartedEventAttributes: started }] });
    },
  });
  return { asked, access: { client: { workflow: { getHandle } } } as never as TemporalAccess };
}

async function keep(dataDir: string, ...numbers: number[]): Promise<void> {
  for (const number of numbers) {
    const events: HistoryEvent[] = [
      {
        id: 1,
        at: '2026-01-01T00:00:00.000Z',
        type: 'started',
        workflowId: 'api_ok',
        runId: `r${number}`,
        workflowType: 'RemediateTicket',
        input: [inputOf(number)],
        continuedFrom: number > 1 ? `r${number - 1}` : null,
        searchAttributes: {},
        memo: {},
      },
    ];
    const path = keptRunPath(dataDir, { ticketId: 'T1', runId: `r${number}`, number });
    await writeDurably(path, await encodeRun(events));
  }
}

const runsIn = (events: readonly HistoryEvent[]) =>
  events.flatMap((event) => (event.type === 'started' ? [event.runId] : []));
const from = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const names = (numbers: readonly number[]) => numbers.map((number) => `r${number}`);

it('earlier runs: from their files, from the server while there is none; each is read once', async () => {
  const dataDir = makeTempDir();
  await keep(dataDir, 1, 3);
  const { asked, access } = server(2, 3, 4);
  const read = createHistoryReader(access, dataDir);
  expect(runsIn(await read('api_ok', 'r4'))).toEqual(['r1', 'r2', 'r3', 'r4']);
  expect(asked).toEqual(['r4', 'r2']);
  await read('api_ok', 'r4');
  expect(asked).toEqual(['r4', 'r2', 'r4']);
});

it('a run that is nowhere: the rest of the story, with its beginning', async () => {
  const dataDir = makeTempDir();
  await keep(dataDir, 1, 2, 4);
  const read = createHistoryReader(server(5).access, dataDir);
  expect(runsIn(await read('api_ok', 'r5'))).toEqual(['r1', 'r4', 'r5']);
});

it('nothing is kept, and the server has the last run only: that one', async () => {
  const read = createHistoryReader(server(5).access, makeTempDir());
  expect(runsIn(await read('api_ok', 'r5'))).toEqual(['r5']);
});

it('very many runs: the first one and the last ones', async () => {
  const dataDir = makeTempDir();
  const last = MAX_EARLIER + 10;
  await keep(dataDir, ...from(1, last - 1));
  const read = createHistoryReader(server(last).access, dataDir);
  expect(runsIn(await read('api_ok', `r${last}`))).toEqual(names([1, ...from(last - MAX_EARLIER, last)]));
});

it('the asked run itself is gone: WorkflowNotFoundError', async () => {
  const read = createHistoryReader(server().access, makeTempDir());
  await expect(read('api_ok', 'r1')).rejects.toThrow(WorkflowNotFoundError);
});
