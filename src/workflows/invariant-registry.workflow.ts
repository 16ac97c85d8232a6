import { ApplicationFailure } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { FAILURES } from '../domain/failures';
import { EMPTY_REGISTRY, reduceRegistry } from '../domain/registry';
import type { RegistryEvent, RegistryState } from '../domain/registry';
import { rejectRegistryEvent } from '../domain/registry-rejection';
import type { RegistryChange, RegistryInput, RegistryNews } from './contract';
import { QUERIES, SIGNALS, UPDATES } from './contract';

/**
 * Owns definitions and health states for ever. Its state is `fold(reduceRegistry, history)` from the input on: every
 * accepted update and every signal is one event, and nothing else changes it.
 */
export async function InvariantRegistry(input: RegistryInput): Promise<never> {
  let state = input.state ?? EMPTY_REGISTRY;
  let changes = 0;
  const apply = (event: RegistryEvent): void => {
    const next = reduceRegistry(state, event);
    if (next !== state) changes += 1;
    state = next;
  };
  setHandler(defineQuery<RegistryState>(QUERIES.registryState), () => state);
  setHandler(defineQuery<RegistryNews, [string | null]>(QUERIES.registryNews), (known) => {
    const version = `${workflowInfo().runId}/${changes}`;
    return { version, state: known === version ? null : state };
  });
  for (const signal of [SIGNALS.transitions, SIGNALS.dismissed]) {
    setHandler(defineSignal<[RegistryEvent]>(signal), apply);
  }
  setHandler(
    defineUpdate<RegistryState['revision'], [RegistryChange]>(UPDATES.changeRegistry),
    (event) => {
      apply(event);
      return state.revision;
    },
    {
      validator: (event: RegistryChange) => {
        const rejection = rejectRegistryEvent(state, event);
        if (rejection) {
          throw ApplicationFailure.nonRetryable(rejection.message, FAILURES.registryRejected, rejection);
        }
      },
    },
  );
  await condition(() => workflowInfo().continueAsNewSuggested);
  await condition(allHandlersFinished);
  return await continueAsNew<typeof InvariantRegistry>({ state });
}
