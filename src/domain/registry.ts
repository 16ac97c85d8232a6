import { forgetDismissal } from './dismissal';
import type { Dismissals } from './dismissal';
import { initialHealth, isStale } from './health';
import type { InvariantHealth } from './health';
import { INVARIANT_ID } from './invariant';
import type { InvariantDefinition } from './invariant';
import { activePauses, addPause, covers, liftPause, pauseKey, pauseOf } from './pause';
import type { Pauses, PauseTarget } from './pause';

type InvariantSource = 'file' | 'api';

export interface RegisteredInvariant {
  readonly definition: InvariantDefinition;
  readonly source: InvariantSource;
  /** Rises with every change of the definition; health of an older revision is void. */
  readonly revision: number;
  readonly updatedAt: string;
  readonly health: InvariantHealth;
}

/** State of `InvariantRegistry`; equals `fold(reduceRegistry, history)`. */
export interface RegistryState {
  readonly invariants: Readonly<Record<string, RegisteredInvariant>>;
  /** Monotone revision counter over all invariants, so that a removed and re-made ID never reuses one. */
  readonly revision: number;
  /** Absent until there has been one: states of earlier versions have none. */
  readonly pauses?: Pauses;
  readonly dismissed?: Dismissals;
}

export interface HealthTransition {
  readonly invariantId: string;
  readonly revision: number;
  readonly health: InvariantHealth;
}

/** Everything that may change the registry. `at` comes from the sender, so that a fold over history gives the same state. */
export type RegistryEvent =
  | {
      readonly type: 'put';
      readonly at: string;
      readonly mode: 'create' | 'replace';
      readonly definition: InvariantDefinition;
    }
  | { readonly type: 'set_enabled'; readonly at: string; readonly id: string; readonly enabled: boolean }
  | { readonly type: 'remove'; readonly at: string; readonly id: string }
  | { readonly type: 'sync_file'; readonly at: string; readonly definitions: readonly InvariantDefinition[] }
  | { readonly type: 'transitions'; readonly at: string; readonly transitions: readonly HealthTransition[] }
  | {
      readonly type: 'pause';
      readonly at: string;
      readonly target: PauseTarget;
      readonly until: string | null;
      readonly by: string;
    }
  | { readonly type: 'resume'; readonly at: string; readonly target: PauseTarget; readonly by: string }
  | {
      readonly type: 'dismissed';
      readonly at: string;
      readonly invariantIds: readonly string[];
      readonly until: string | null;
      readonly by: string;
    };

export type RegistryRejection =
  | { readonly code: 'not_found'; readonly id: string; readonly message: string }
  | { readonly code: 'already_exists'; readonly id: string; readonly message: string }
  | { readonly code: 'file_owned'; readonly id: string; readonly message: string }
  | { readonly code: 'not_paused'; readonly id: string; readonly message: string }
  | { readonly code: 'invalid'; readonly id: string; readonly message: string };

export const EMPTY_REGISTRY: RegistryState = { invariants: {}, revision: 0 };

/**
 * Applies one event. Total: an event that `rejectRegistryEvent` refuses changes nothing. Health of an older revision and
 * health that a newer check overtook are ignored, so that it does not matter whether `transitions` come before or after
 * a definition change of the same workflow task.
 *
 * `sync_file`: the file wins. It takes over an API-made invariant of the same ID; one that it no longer lists is disabled
 * and handed to the API (`source: 'api'`), so that people can enable or purge it.
 *
 * `pause` and `resume` void the health of what they cover, and checks made during a pause are ignored: what was known
 * before says nothing about now. `dismissed` is remembered only of what is not up, and forgotten by a transition to up.
 */
export function reduceRegistry(state: RegistryState, event: RegistryEvent): RegistryState {
  if (rejectRegistryEvent(state, event)) return state;
  switch (event.type) {
    case 'put':
      return define(state, event.definition, 'api', event.at);
    case 'set_enabled': {
      const known = find(state, event.id);
      return known
        ? define(state, { ...known.definition, enabled: event.enabled }, known.source, event.at)
        : state;
    }
    case 'remove': {
      const { [event.id]: removed, ...rest } = state.invariants;
      return removed ? withoutDismissal({ ...state, invariants: rest }, event.id) : state;
    }
    case 'sync_file':
      return syncFile(state, event.definitions, event.at);
    case 'transitions':
      return event.transitions.reduce(applyTransition, state);
    case 'pause': {
      const { target, by, at, until } = event;
      const pauses = addPause(state.pauses, { target, by, at, until });
      return voidHealth({ ...state, pauses }, target, at);
    }
    case 'resume': {
      const pauses = liftPause(state.pauses, event.target, event.at);
      return voidHealth({ ...state, pauses }, event.target, event.at);
    }
    case 'dismissed': {
      const { by, at, until } = event;
      const failing = event.invariantIds.filter((id) => {
        const known = find(state, id);
        return known !== null && known.health.state !== 'up';
      });
      if (failing.length === 0) return state;
      const added = Object.fromEntries(failing.map((id) => [id, { by, at, until }]));
      return { ...state, dismissed: { ...state.dismissed, ...added } };
    }
  }
}

/** Why an event may not be applied, for the update's validator; null when it may. Conditions and queries are checked by the sender. */
export function rejectRegistryEvent(state: RegistryState, event: RegistryEvent): RegistryRejection | null {
  switch (event.type) {
    case 'put': {
      const { id } = event.definition;
      const known = find(state, id);
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
      const known = find(state, event.id);
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

function find(state: RegistryState, id: string): RegisteredInvariant | null {
  return Object.hasOwn(state.invariants, id) ? (state.invariants[id] ?? null) : null;
}

/** A definition that did not really change keeps its revision and health. */
function define(
  state: RegistryState,
  definition: InvariantDefinition,
  source: InvariantSource,
  at: string,
): RegistryState {
  const { id } = definition;
  const known = find(state, id);
  if (known && isSame(known.definition, definition)) {
    if (known.source === source) return state;
    return { ...state, invariants: { ...state.invariants, [id]: { ...known, source } } };
  }
  const revision = state.revision + 1;
  const registered = { definition, source, revision, updatedAt: at, health: initialHealth(at) };
  return withoutDismissal({ ...state, revision, invariants: { ...state.invariants, [id]: registered } }, id);
}

function syncFile(
  state: RegistryState,
  definitions: readonly InvariantDefinition[],
  at: string,
): RegistryState {
  const listed = new Set(definitions.map((definition) => definition.id));
  const orphans = Object.values(state.invariants).filter(
    (known) => known.source === 'file' && !listed.has(known.definition.id),
  );
  const disabled = orphans.reduce(
    (next, known) => define(next, { ...known.definition, enabled: false }, 'api', at),
    state,
  );
  return definitions.reduce((next, definition) => define(next, definition, 'file', at), disabled);
}

function applyTransition(state: RegistryState, transition: HealthTransition): RegistryState {
  const known = find(state, transition.invariantId);
  if (!known || known.revision !== transition.revision) return state;
  const { health } = transition;
  if (health.lastCheck) {
    if (isStale(known.health.lastCheck, health.lastCheck)) return state;
    if (pauseOf(state.pauses, known.definition, health.lastCheck.at)) return state;
  }
  const next = {
    ...state,
    invariants: { ...state.invariants, [transition.invariantId]: { ...known, health } },
  };
  return health.state === 'up' ? withoutDismissal(next, transition.invariantId) : next;
}

function voidHealth(state: RegistryState, target: PauseTarget, at: string): RegistryState {
  const invariants = Object.entries(state.invariants).map(([id, known]) => [
    id,
    covers(target, known.definition) ? { ...known, health: initialHealth(at) } : known,
  ]);
  return { ...state, invariants: Object.fromEntries(invariants) as RegistryState['invariants'] };
}

function withoutDismissal(state: RegistryState, id: string): RegistryState {
  const dismissed = forgetDismissal(state.dismissed, id);
  return dismissed === undefined || dismissed === state.dismissed ? state : { ...state, dismissed };
}

function badPause(
  state: RegistryState,
  target: PauseTarget,
  at: string,
  until: string | null,
): RegistryRejection | null {
  if (target.kind === 'invariant' && !find(state, target.invariantId)) return notFound(target.invariantId);
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

function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** JSON with sorted keys: two equal definitions may have been written in different key order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
