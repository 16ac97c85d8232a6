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
import { EMPTY_REGISTRY, reduceRegistry, rejectRegistryEvent } from '../domain/registry';
import type { RegistryEvent, RegistryState } from '../domain/registry';
import type { RegistryChange, RegistryInput } from './contract';
import { QUERIES, SIGNALS, UPDATES } from './contract';

/**
 * Owns definitions and health states for ever. Its state is `fold(reduceRegistry, history)` from the input on: every
 * accepted update and every signal is one event, and nothing else changes it.
 */
export async function InvariantRegistry(input: RegistryInput): Promise<never> {
  let state = input.state ?? EMPTY_REGISTRY;
  setHandler(defineQuery<RegistryState>(QUERIES.registryState), () => state);
  for (const signal of [SIGNALS.transitions, SIGNALS.dismissed]) {
    setHandler(defineSignal<[RegistryEvent]>(signal), (event) => {
      state = reduceRegistry(state, event);
    });
  }
  setHandler(
    defineUpdate<RegistryState['revision'], [RegistryChange]>(UPDATES.changeRegistry),
    (event) => {
      state = reduceRegistry(state, event);
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
