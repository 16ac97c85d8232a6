import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { decodeHistory } from '../../../src/client/history';

const payload = (value: unknown, encoding = 'json/plain', extra: Record<string, string> = {}) => ({
  metadata: Object.fromEntries(
    Object.entries({ encoding, ...extra }).map(([key, text]) => [key, Buffer.from(text).toString('base64')]),
  ),
  data: Buffer.from(
    typeof value === 'string' && encoding !== 'json/plain' ? value : JSON.stringify(value),
  ).toString('base64'),
});

/** As Temporal's tools write histories. */
const decode = (event: object) =>
  decodeHistory(
    historyFromJSON({ events: [{ eventId: '7', eventTime: '2026-01-02T03:04:05.678912Z', ...event }] }),
  )[0];

const base = { id: 7, at: '2026-01-02T03:04:05.678Z' };

it('a started run: input, attributes of both spellings, memo', () => {
  const event = decode({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
    workflowExecutionStartedEventAttributes: {
      workflowType: { name: 'RemediateTicket' },
      workflowId: 'api_ok',
      originalExecutionRunId: 'r2',
      continuedExecutionRunId: 'r1',
      input: { payloads: [payload({ ticket: { id: 'T1' } })] },
      searchAttributes: {
        indexedFields: {
          TicketStatus: payload(['pending'], 'json/plain', { type: 'Keyword' }),
          Brain: payload('runbook', 'json/plain', { type: 'Keyword' }),
          TicketPhase: payload([], 'json/plain', { type: 'Keyword' }),
        },
      },
      memo: { fields: { joined_invariants: payload(['a']), blocked_on: payload('', 'binary/null') } },
    },
  });
  expect(event).toEqual({
    ...base,
    type: 'started',
    workflowId: 'api_ok',
    runId: 'r2',
    workflowType: 'RemediateTicket',
    input: [{ ticket: { id: 'T1' } }],
    continuedFrom: 'r1',
    searchAttributes: { TicketStatus: 'pending', Brain: 'runbook', TicketPhase: null },
    memo: { joined_invariants: ['a'], blocked_on: null },
  });
});

it('an activity: input, summary, and a payload that is not JSON as a marked placeholder', () => {
  const event = decode({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
    userMetadata: { summary: payload('restart api') },
    activityTaskScheduledEventAttributes: {
      activityType: { name: 'service_control' },
      taskQueue: { name: 'harness-agent' },
      input: {
        payloads: [payload({ a: 1 }), payload('secret', 'binary/encrypted'), payload('{oops', 'json/plain')],
      },
    },
  });
  expect(event).toEqual({
    ...base,
    type: 'activity_scheduled',
    activity: 'service_control',
    queue: 'harness-agent',
    input: [{ a: 1 }, { $payload: 'binary/encrypted', bytes: 6 }, '{oops'],
    summary: 'restart api',
  });
});

it('a payload that claims to be JSON and is not: a placeholder, no exception', () => {
  const data = Buffer.from('{oops').toString('base64');
  const event = decode({
    eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED',
    workflowExecutionCompletedEventAttributes: { result: { payloads: [{ ...payload(1), data }] } },
  });
  expect(event).toEqual({ ...base, type: 'completed', result: { $payload: 'invalid json', bytes: 5 } });
});

it('a failure: type, details and its cause; a timeout by its kind', () => {
  const event = decode({
    eventType: 'EVENT_TYPE_ACTIVITY_TASK_FAILED',
    activityTaskFailedEventAttributes: {
      scheduledEventId: '5',
      failure: {
        message: 'no',
        applicationFailureInfo: { type: 'RegistryRejected', details: { payloads: [payload({ code: 'x' })] } },
        cause: { message: 'late', timeoutFailureInfo: { timeoutType: 'TIMEOUT_TYPE_HEARTBEAT' } },
      },
    },
  });
  expect(event).toEqual({
    ...base,
    type: 'activity_failed',
    scheduledId: 5,
    failure: {
      message: 'no',
      type: 'RegistryRejected',
      details: [{ code: 'x' }],
      cause: { message: 'late', type: 'Timeout:heartbeat', details: [], cause: null },
    },
  });
});

it.each([
  [
    'workflowExecutionSignaledEventAttributes',
    { signalName: 'note', input: { payloads: [payload({ text: 'x' })] }, identity: 'me' },
    { type: 'signaled', signal: 'note', input: [{ text: 'x' }], by: 'me' },
  ],
  [
    'workflowExecutionUpdateAcceptedEventAttributes',
    { acceptedRequest: { input: { name: 'change', args: { payloads: [payload({ type: 'remove' })] } } } },
    { type: 'update_accepted', update: 'change', input: [{ type: 'remove' }] },
  ],
  [
    'activityTaskStartedEventAttributes',
    { scheduledEventId: '5', attempt: 2, identity: 'w', lastFailure: { message: 'gone' } },
    { type: 'activity_started', scheduledId: 5, attempt: 2, worker: 'w', lastFailure: { message: 'gone' } },
  ],
  [
    'workflowExecutionTerminatedEventAttributes',
    { reason: 'wrong', identity: 'ops' },
    { type: 'terminated', reason: 'wrong', by: 'ops' },
  ],
  [
    'workflowExecutionCancelRequestedEventAttributes',
    { identity: 'ops' },
    { type: 'cancel_requested', by: 'ops' },
  ],
  ['timerStartedEventAttributes', { timerId: '1' }, { type: 'other', name: 'timerStarted' }],
])('%s', (name, attributes, expected) => {
  expect(decode({ [name]: attributes })).toMatchObject({ ...base, ...expected });
});

it('an empty history is an empty list', () => {
  expect(decodeHistory({})).toEqual([]);
});
