import { WorkflowNotFoundError } from '@temporalio/common';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import { z } from 'zod';
import { createRegistryReader, RegistryMissing } from '../../../src/client/registry-reader';
import type { TemporalAccess } from '../../../src/client/temporal';
import type { RegistryEvent, RegistryState } from '../../../src/domain/registry';
import { EMPTY_REGISTRY, reduceRegistry } from '../../../src/domain/registry';
import { definition, T0 } from '../../support/invariants';

const payload = (value: unknown) => ({
  payloads: [
    {
      metadata: { encoding: Buffer.from('json/plain').toString('base64') },
      data: Buffer.from(JSON.stringify(value)).toString('base64'),
    },
  ],
});

/** The calls of a Temporal server that keeps one registry; `gate` holds the fetches back. */
class FakeRegistry {
  readonly calls = { describe: 0, whole: 0, tail: 0 };
  gate: Promise<void> = Promise.resolve();
  failure: Error | null = null;
  /** What the reducer makes of everything added so far. */
  state: RegistryState = EMPTY_REGISTRY;
  private runId = 'run-1';
  private events: object[] = [];

  constructor() {
    this.begin(null);
  }

  readonly access = z.custom<TemporalAccess>().parse({
    address: 'here:7233',
    namespace: 'default',
    client: {
      workflow: {
        getHandle: (_id: string, runId?: string) => ({
          describe: () => this.describe(),
          fetchHistory: () => this.fetchHistory(runId),
        }),
      },
      workflowService: {
        getWorkflowExecutionHistoryReverse: (request: ReverseRequest) => this.reverse(request),
      },
    },
  });

  put(id: string): void {
    const change: RegistryEvent = { type: 'put', at: T0, mode: 'create', definition: definition(id) };
    this.state = reduceRegistry(this.state, change);
    this.add({
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
      workflowExecutionUpdateAcceptedEventAttributes: {
        acceptedRequest: { input: { name: 'change', args: payload(change) } },
      },
    });
  }

  continueAsNew(): void {
    this.runId += '+';
    this.begin(this.state);
  }

  /** A database that lost its last events, and went on from there. */
  putBackTo(length: number, state: RegistryState): void {
    this.events.length = length;
    this.state = state;
  }

  private begin(state: RegistryState | null): void {
    this.events = [];
    this.add({
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_STARTED',
      workflowExecutionStartedEventAttributes: { input: payload({ state }) },
    });
  }

  private written = 0;
  private add(event: object): void {
    this.written += 1;
    const eventTime = new Date(Date.parse(T0) + this.written).toISOString();
    this.events.push({ eventId: String(this.events.length + 1), eventTime, ...event });
  }

  private async describe() {
    this.calls.describe += 1;
    if (this.failure) throw this.failure;
    return Promise.resolve({ runId: this.runId, historyLength: this.events.length });
  }

  private async fetchHistory(runId: string | undefined) {
    this.calls.whole += 1;
    expect(runId).toBe(this.runId);
    const history = historyFromJSON({ events: [...this.events] });
    await this.gate;
    if (this.failure) throw this.failure;
    return history;
  }

  private async reverse({ execution, maximumPageSize, nextPageToken }: ReverseRequest) {
    this.calls.tail += 1;
    expect(execution.runId).toBe(this.runId);
    const end = nextPageToken.length > 0 ? Number(Buffer.from(nextPageToken)) : this.events.length;
    const from = Math.max(0, end - maximumPageSize);
    const history = historyFromJSON({ events: this.events.slice(from, end).reverse() });
    await this.gate;
    if (this.failure) throw this.failure;
    return { history, nextPageToken: from === 0 ? new Uint8Array() : Buffer.from(String(from)) };
  }
}

interface ReverseRequest {
  readonly execution: { readonly runId: string };
  readonly maximumPageSize: number;
  readonly nextPageToken: Uint8Array;
}

function held(): { readonly gate: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  return { gate, open };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

let registry: FakeRegistry;
let read: () => Promise<RegistryState>;

beforeEach(() => {
  registry = new FakeRegistry();
  read = createRegistryReader(registry.access);
});

it('an unchanged registry is fetched once, however often it is read', async () => {
  registry.put('a');
  expect(await read()).toEqual(registry.state);
  expect(await read()).toEqual(registry.state);
  expect(registry.calls).toEqual({ describe: 2, whole: 1, tail: 0 });
});

it('a change is in the next answer, and only what is new was fetched', async () => {
  await read();
  registry.put('a');
  expect(await read()).toEqual(registry.state);
  expect(registry.calls).toEqual({ describe: 2, whole: 1, tail: 1 });
});

it('more changes than one page holds are all taken, each once', async () => {
  registry.put('first');
  await read();
  for (let n = 0; n < 200; n += 1) registry.put(`later_${n}`);
  const state = await read();
  expect(state).toEqual(registry.state);
  expect(Object.keys(state.invariants)).toHaveLength(201);
  expect(registry.calls).toEqual({ describe: 2, whole: 1, tail: 4 });
});

it('a registry that continued as new is read from its new run', async () => {
  registry.put('a');
  await read();
  registry.continueAsNew();
  registry.put('b');
  const state = await read();
  expect(state).toEqual(registry.state);
  expect(Object.keys(state.invariants)).toEqual(['a', 'b']);
});

it('a new run of the same length as the old one is another history', async () => {
  registry.put('a');
  await read();
  registry.continueAsNew();
  registry.put('b');
  expect(await read()).toEqual(registry.state);
  expect(registry.calls).toEqual({ describe: 2, whole: 2, tail: 0 });
});

it('a database put back to an earlier state is believed, shorter or grown again', async () => {
  registry.put('a');
  const earlier = registry.state;
  registry.put('lost');
  registry.put('lost_too');
  await read();
  registry.putBackTo(2, earlier);
  expect(await read()).toEqual(earlier);
  registry.put('b');
  await read();
  registry.putBackTo(2, earlier);
  registry.put('c');
  registry.put('d');
  expect(Object.keys((await read()).invariants)).toEqual(['a', 'c', 'd']);
});

it('callers at the same time share one fetch', async () => {
  registry.put('a');
  const { gate, open } = held();
  registry.gate = gate;
  const answers = Promise.all([read(), read(), read()]);
  await settled();
  open();
  expect(await answers).toEqual([registry.state, registry.state, registry.state]);
  expect(registry.calls).toEqual({ describe: 3, whole: 1, tail: 0 });
});

it('who asks after a change does not get the answer of a fetch begun before it', async () => {
  const { gate, open } = held();
  registry.gate = gate;
  const before = read();
  await settled();
  registry.put('a');
  const after = read();
  await settled();
  open();
  expect((await before).invariants).toEqual({});
  expect(Object.keys((await after).invariants)).toEqual(['a']);
});

it('an error reaches those who wait for it and nobody after them', async () => {
  const { gate, open } = held();
  registry.gate = gate;
  const failing = Promise.allSettled([read(), read()]);
  await settled();
  registry.failure = new Error('away');
  open();
  expect((await failing).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  registry.failure = null;
  registry.put('a');
  expect(await read()).toEqual(registry.state);
});

it('an error while reading on leaves what is known as it was', async () => {
  await read();
  registry.put('a');
  const { gate, open } = held();
  registry.gate = gate;
  const failing = expect(read()).rejects.toThrow('away');
  await settled();
  registry.failure = new Error('away');
  open();
  await failing;
  registry.failure = null;
  expect(await read()).toEqual(registry.state);
});

it('before a monitor has run there is no registry, and afterwards there is', async () => {
  registry.failure = new WorkflowNotFoundError('not found', 'harness/registry', undefined);
  await expect(read()).rejects.toThrow(RegistryMissing);
  registry.failure = null;
  expect(await read()).toEqual(registry.state);
});
