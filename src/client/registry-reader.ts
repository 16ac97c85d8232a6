import { z } from 'zod';
import type { WorkflowExecutionDescription } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { HistoryEvent } from '../domain/history-event';
import type { RegistryEvent, RegistryState } from '../domain/registry';
import { EMPTY_REGISTRY, reduceRegistry } from '../domain/registry';
import { REGISTRY_WORKFLOW_ID, SIGNALS, UPDATES } from '../workflows/contract';
import { fetchRun, fetchTail } from './history';
import type { TemporalAccess } from './temporal';

/** The registry's workflow has never been started: no monitor has run on this Temporal namespace yet. */
export class RegistryMissing extends Error {
  override readonly name = 'RegistryMissing';
}

/** The fold up to an event of a run. */
interface Known {
  readonly runId: string;
  readonly last: Pick<HistoryEvent, 'id' | 'at'>;
  readonly state: RegistryState;
}

/** Where the fold of an empty history stands. */
const NO_EVENT = { id: 0, at: '' };

/** How far the registry's history had got when it was asked. */
type Extent = Pick<WorkflowExecutionDescription, 'runId' | 'historyLength'>;

/**
 * Reads the registry's state, folded from the history of its current run: works with the monitor down. Never older than the
 * call; what has been folded once is not fetched again. The reader throws RegistryMissing before a monitor has run for the
 * first time.
 */
export function createRegistryReader(access: TemporalAccess): () => Promise<RegistryState> {
  let known: Known | null = null;
  let fetching: Promise<Known> | null = null;

  const fetch = async (from: Known | null, { runId, historyLength }: Extent): Promise<Known> => {
    try {
      known = (from && (await readOn(access, from, historyLength))) ?? (await readWhole(access, runId));
      return known;
    } finally {
      fetching = null;
    }
  };

  const read = async (): Promise<RegistryState> => {
    const before = known;
    const extent = await access.client.workflow.getHandle(REGISTRY_WORKFLOW_ID).describe();
    if (before?.runId === extent.runId && before.last.id === extent.historyLength) return before.state;
    // Another caller's fetch may have begun before something that this caller must see.
    while (fetching) {
      const found = await fetching;
      if (covers(found, extent)) return found.state;
    }
    const from = known?.runId === extent.runId && known.last.id < extent.historyLength ? known : null;
    fetching = fetch(from, extent);
    return (await fetching).state;
  };

  return () => read().catch(explainMissing(access));
}

function covers({ runId, last }: Known, extent: Extent): boolean {
  return runId === extent.runId && last.id >= extent.historyLength;
}

async function readWhole(access: TemporalAccess, runId: string): Promise<Known> {
  const events = await fetchRun(access, REGISTRY_WORKFLOW_ID, runId);
  return { runId, last: events.at(-1) ?? NO_EVENT, state: foldRegistry(events) };
}

/** Null when the known event is not there any more: a database was put back to an earlier state. */
async function readOn(access: TemporalAccess, known: Known, toId: number): Promise<Known | null> {
  const { runId, last, state } = known;
  const [joint, ...events] = await fetchTail(access, REGISTRY_WORKFLOW_ID, runId, { fromId: last.id, toId });
  if (joint?.id !== last.id || joint.at !== last.at) return null;
  return { runId, last: events.at(-1) ?? last, state: foldRegistry(events, state) };
}

function explainMissing({ namespace, address }: TemporalAccess): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
    throw new RegistryMissing(
      `no invariants yet: the workflow ${REGISTRY_WORKFLOW_ID} does not exist in namespace "${namespace}" at ${address}. ` +
        'Start the monitor ("harness run", or "harness monitor").',
      { cause: error },
    );
  };
}

/** The same reducer over the same events as the workflow itself, therefore the same state. */
export function foldRegistry(events: readonly HistoryEvent[], from = EMPTY_REGISTRY): RegistryState {
  let state = from;
  for (const event of events) {
    if (event.type === 'started') state = readInput(event.input[0]) ?? EMPTY_REGISTRY;
    const change = readChange(event);
    if (change) state = reduceRegistry(state, change);
  }
  return state;
}

function readChange(event: HistoryEvent): RegistryEvent | null {
  const isChange =
    (event.type === 'signaled' &&
      [SIGNALS.transitions, SIGNALS.dismissed].some((own) => own === event.signal)) ||
    (event.type === 'update_accepted' && event.update === UPDATES.changeRegistry);
  if (!isChange) return null;
  const parsed = registryEvent.safeParse(event.input[0]);
  return parsed.success ? parsed.data : null;
}

function readInput(input: unknown): RegistryState | null {
  const parsed = registryInput.safeParse(input);
  return parsed.success ? parsed.data.state : null;
}

const pauseTarget = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('all') }),
  z.object({ kind: z.literal('service'), service: z.string() }),
  z.object({ kind: z.literal('invariant'), invariantId: z.string() }),
]);

/*
 * Our own workflow accepted these; what is checked here is only that the payload is such an event, so that a stray signal
 * from outside cannot break the fold.
 */
const REGISTRY_EVENT_FIELDS: Readonly<Record<RegistryEvent['type'], z.ZodType>> = {
  put: z.looseObject({ mode: z.enum(['create', 'replace']), definition: z.looseObject({ id: z.string() }) }),
  set_enabled: z.looseObject({ id: z.string(), enabled: z.boolean() }),
  remove: z.looseObject({ id: z.string() }),
  sync_file: z.looseObject({ definitions: z.array(z.looseObject({ id: z.string() })) }),
  transitions: z.looseObject({ transitions: z.array(z.looseObject({ invariantId: z.string() })) }),
  pause: z.looseObject({ target: pauseTarget, until: z.string().nullable(), by: z.string() }),
  resume: z.looseObject({ target: pauseTarget, by: z.string() }),
  dismissed: z.looseObject({
    invariantIds: z.array(z.string()),
    until: z.string().nullable(),
    by: z.string(),
  }),
};

const header = z.looseObject({
  type: z.enum(['put', 'set_enabled', 'remove', 'sync_file', 'transitions', 'pause', 'resume', 'dismissed']),
  at: z.string(),
});

const registryEvent = z.custom<RegistryEvent>((value) => {
  const parsed = header.safeParse(value);
  return parsed.success && REGISTRY_EVENT_FIELDS[parsed.data.type].safeParse(value).success;
});

const registryInput = z.object({
  state: z
    .custom<RegistryState>(
      (value) =>
        z
          .looseObject({ invariants: z.record(z.string(), z.unknown()), revision: z.number() })
          .safeParse(value).success,
    )
    .nullable(),
});
