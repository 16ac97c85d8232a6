import { foldTrajectory } from '../../../src/domain/fold-trajectory';
import type { TicketSpec, TicketStatus } from '../../../src/domain/ticket';
import type { Trajectory, TrajectoryCall } from '../../../src/domain/trajectory';
import type { UndoAnswer, WebDependencies } from '../../../src/web/dependencies';
import { Problem } from '../../../src/web/problem';
import type { UndoInput } from '../../../src/workflows/agent-contract';
import { T0 } from '../../support/invariants';
import type { TestApi } from './support';
import { dependencies, startApi } from './support';

const UNDO = '/api/v1/tickets/T1/undo';
let api: TestApi;
afterEach(() => api.close());

function call(tool: string): TrajectoryCall {
  const result = { callId: 'c', tool, isError: false, content: '', data: { outcome: 'performed' } };
  return {
    call: { id: 'c', name: tool, input: {} },
    decision: null,
    result,
    failure: null,
    startedAt: T0,
    endedAt: T0,
  };
}

function trajectory(status: TicketStatus, tool = 'restore_file'): Trajectory {
  const ticket: Partial<TicketSpec> = { id: 'T1', invariantId: 'a', service: 'api', detectedAt: T0 };
  const turn = { turn: 1, attempt: 1, brain: null, model: null, text: '', startedAt: T0, endedAt: T0 };
  return {
    ...foldTrajectory([]),
    ticket: ticket as TicketSpec,
    status,
    turns: [{ ...turn, calls: [call(tool)] }],
  };
}

/** A ticket as given, and an agent that answers as given; without an answer it must not be asked. */
function deps(found: Trajectory | null, answer?: UndoAnswer | Error, asked: UndoInput[] = []) {
  const over: Partial<WebDependencies> = {
    tickets: { ...dependencies().tickets, trajectory: () => Promise.resolve(found) },
  };
  if (answer === undefined) return over;
  return {
    ...over,
    undoEdits(input: UndoInput) {
      asked.push(input);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
  };
}

it.each(['completed', 'failed', 'blocked'] as const)(
  '%s: ordered with who and why, and every file answered',
  async (status) => {
    const asked: UndoInput[] = [];
    const files = [
      { path: '/a', outcome: 'undone', reason: '' },
      { path: '/b', outcome: 'as_found', reason: '' },
      { path: '/c', outcome: 'left', reason: 'was changed' },
      { path: '/d', outcome: 'failed', reason: 'disk full' },
    ] as const;
    api = await startApi(deps(trajectory(status), { kind: 'done', report: { files: [...files] } }, asked));
    const body = { by: 'ana', reason: 'the password is hunter2' };
    expect(await api.ask('POST', UNDO, { body })).toMatchObject({
      status: 200,
      body: {
        ticket_id: 'T1',
        state: 'done',
        undone: ['/a'],
        as_found: ['/b'],
        left: [
          { path: '/c', reason: 'was changed' },
          { path: '/d', reason: 'disk full' },
        ],
        detail: '',
      },
    });
    expect(asked).toEqual([
      {
        ticket: { ticketId: 'T1', invariantId: 'a', service: 'api', detectedAt: T0 },
        person: { by: 'ana', reason: 'the password is [redacted]' },
      },
    ]);
  },
);

it('undone before: 200, and it says that nothing was left', async () => {
  api = await startApi(deps(trajectory('completed'), { kind: 'done', report: { files: [] } }));
  expect(await api.ask('POST', UNDO)).toMatchObject({
    status: 200,
    body: { undone: [], left: [], detail: 'Nothing was left to undo.' },
  });
});

it('no agent answers in time: 202, and it says that it goes on', async () => {
  api = await startApi(deps(trajectory('completed'), { kind: 'waiting', detail: 'goes on by itself' }));
  expect(await api.ask('POST', UNDO)).toMatchObject({
    status: 202,
    body: { state: 'waiting', undone: [], left: [], detail: 'goes on by itself' },
  });
});

it.each([
  ['pending', 'restore_file', 'Ticket T1 is pending: cancel it, which puts its edits back.'],
  ['in_progress', 'restore_file', 'Ticket T1 is in_progress: cancel it, which puts its edits back.'],
  ['completed', 'service_control', 'Ticket T1 made no edits.'],
] as const)('%s, %s: 409, nothing is ordered', async (status, tool, detail) => {
  api = await startApi(deps(trajectory(status, tool)));
  expect(await api.ask('POST', UNDO)).toMatchObject({ status: 409, body: { detail } });
});

it('unknown: 404; without the token: 401; with an unknown key: 422', async () => {
  api = await startApi(deps(null));
  expect((await api.ask('POST', UNDO)).status).toBe(404);
  expect((await api.ask('POST', '/api/v1/tickets/..%2F..%2Fx/undo')).status).toBe(404);
  expect((await api.ask('POST', UNDO, { token: null })).status).toBe(401);
  expect((await api.ask('POST', UNDO, { body: { force: true } })).status).toBe(422);
});

it('what keeps it from being done is told as a problem', async () => {
  api = await startApi(deps(trajectory('completed'), new Problem(409, 'Is being undone already', 'wait')));
  expect(await api.ask('POST', UNDO)).toMatchObject({
    status: 409,
    body: { title: 'Is being undone already' },
  });
});
