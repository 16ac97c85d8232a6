import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { WORKFLOWS } from '../../src/workflows/contract';
import { workflowBundle } from '../support/workflow-environment';

jest.setTimeout(60_000);

const FOLDER = join(__dirname, 'histories');
const names = readdirSync(FOLDER).map((file) => file.replace('.json', ''));
const read = (name: string) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Recorded;

interface Recorded {
  events: {
    workflowExecutionStartedEventAttributes?: { workflowType: { name: string }; workflowId: string };
  }[];
}

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
});

async function replay(recorded: Recorded): Promise<void> {
  const workflowId = recorded.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '';
  await Worker.runReplayHistory(
    { workflowBundle: await workflowBundle() },
    historyFromJSON(recorded),
    workflowId,
  );
}

it('every workflow has a stored history', () => {
  const types = names.map(
    (name) => read(name).events[0]?.workflowExecutionStartedEventAttributes?.workflowType.name,
  );
  expect([...new Set(types)].sort()).toEqual(Object.values(WORKFLOWS).sort());
});

it.each(names)('%s: the code of today decides as it did then', async (name) => {
  await replay(read(name));
});

it('a history whose decisions differ is noticed', async () => {
  const recorded = read(names.find((name) => name.startsWith('ticket-fixed')) ?? '');
  const text = JSON.stringify(recorded).replace('"name":"claimTicket"', '"name":"somethingElse"');
  await expect(replay(JSON.parse(text) as Recorded)).rejects.toThrow(/[Nn]ondeterminism|determinism/);
});
