import { INVARIANT_ID } from './invariant';
import type { InvariantDefinition } from './invariant';
import { activePauses, pauseKey } from './pause';
import type { PauseTarget } from './pause';
import type { RegisteredInvariant, RegistryEvent, RegistryState } from './registry';

export type RegistryRejection =
  | { readonly code: 'not_found'; readonly id: string; readonly message: string }
  | { readonly code: 'already_exists'; readonly id: string; readonly message: string }
  | { readonly code: 'file_owned'; readonly id: string; readonly message: string }
  | { readonly code: 'not_paused'; readonly id: string; readonly message: string }
  | { readonly code: 'invalid'; readonly id: string; readonly message: string };

/** Why an event may not be applied, for the update's validator; null when it may. Conditions and queries are checked by the sender. */
export function rejectRegistryEvent(state: RegistryState, event: RegistryEvent): RegistryRejection | null {
  switch (event.type) {
    case 'put': {
      const { id } = event.definition;
      const known = findInvariant(state, id);
      if (event.mode === 'create' && known) {
        return {
          code: 'already_exists',
          id,
          message: `invariant "${id}" already exists; change it instead, or choose another id`,
        };
      }
      if (event.mode === 'replace' && !known) return notFound(id);
      return fileOwned(known) ?? invalid(event.definition);
    }
    case 'set_enabled':
    case 'remove': {
      const known = findInvariant(state, event.id);
      return known ? fileOwned(known) : notFound(event.id);
    }
    case 'sync_file':
      return duplicate(event.definitions) ?? firstInvalid(event.definitions);
    case 'pause':
      return badPause(state, event.target, event.at, event.until);
    case 'resume':
      return notPaused(state, event.target, event.at);
    case 'transitions':
    case 'dismissed':
      return null;
  }
}

function badPause(
  state: RegistryState,
  target: PauseTarget,
  at: string,
  until: string | null,
): RegistryRejection | null {
  if (target.kind === 'invariant' && !findInvariant(state, target.invariantId))
    return notFound(target.invariantId);
  if (until === null || until > at) return null;
  const id = pauseKey(target);
  return { code: 'invalid', id, message: `a pause until ${until} is over already (it is ${at})` };
}

function notPaused(state: RegistryState, target: PauseTarget, at: string): RegistryRejection | null {
  const id = pauseKey(target);
  const keys = activePauses(state.pauses, at).map((pause) => pauseKey(pause.target));
  if (target.kind === 'all' || keys.includes(id)) return null;
  return {
    code: 'not_paused',
    id,
    message: `${id} is not paused by itself; paused: ${keys.join(', ') || 'nothing'}`,
  };
}

function notFound(id: string): RegistryRejection {
  return { code: 'not_found', id, message: `there is no invariant "${id}"` };
}

function fileOwned(known: RegisteredInvariant | null): RegistryRejection | null {
  if (known?.source !== 'file') return null;
  const { id } = known.definition;
  return { code: 'file_owned', id, message: `invariant "${id}" is owned by harness.yaml; change it there` };
}

function duplicate(definitions: readonly InvariantDefinition[]): RegistryRejection | null {
  const seen = new Set<string>();
  for (const { id } of definitions) {
    if (seen.has(id)) return { code: 'invalid', id, message: `invariant "${id}" is listed twice` };
    seen.add(id);
  }
  return null;
}

function firstInvalid(definitions: readonly InvariantDefinition[]): RegistryRejection | null {
  for (const definition of definitions) {
    const rejection = invalid(definition);
    if (rejection) return rejection;
  }
  return null;
}

function invalid(definition: InvariantDefinition): RegistryRejection | null {
  const { id } = definition;
  const reject = (message: string): RegistryRejection => ({ code: 'invalid', id, message });
  if (!INVARIANT_ID.test(id)) return reject(`id "${id}" does not match ${INVARIANT_ID.source}`);
  if (!(definition.timeoutMs > 0))
    return reject(`timeout of "${id}" is ${definition.timeoutMs} ms; it must be above 0`);
  if (!(definition.confirm.attempts >= 1))
    return reject(`confirm.attempts of "${id}" is ${definition.confirm.attempts}; at least 1`);
  if (!(definition.recover.successes >= 1))
    return reject(`recover.successes of "${id}" is ${definition.recover.successes}; at least 1`);
  if (definition.suppressedBy.includes(id)) return reject(`"${id}" is suppressed by itself`);
  return null;
}

export function findInvariant(state: RegistryState, id: string): RegisteredInvariant | null {
  return Object.hasOwn(state.invariants, id) ? (state.invariants[id] ?? null) : null;
}
