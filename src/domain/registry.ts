import { forgetDismissal } from './dismissal';
import type { Dismissals } from './dismissal';
import { applyCheck, initialHealth, isStale } from './health';
import type { InvariantHealth } from './health';
import type { InvariantDefinition } from './invariant';
import { addPause, covers, liftPause, pauseOf } from './pause';
import type { Pauses, PauseTarget } from './pause';
import { findInvariant as find, rejectRegistryEvent } from './registry-rejection';

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
      return applyTransitions(state, event.transitions);
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

/** One copy of the table for all of them: a thousand at once must not cost a thousand copies. */
function applyTransitions(state: RegistryState, transitions: readonly HealthTransition[]): RegistryState {
  const invariants: Record<string, RegisteredInvariant> = { ...state.invariants };
  let next = state;
  for (const { invariantId, revision, health } of transitions) {
    const known = Object.hasOwn(invariants, invariantId) ? invariants[invariantId] : undefined;
    if (!known || known.revision !== revision || isVoid(state, known, health)) continue;
    const now = withoutEndedFailure(known, health);
    invariants[invariantId] = { ...known, health: now };
    next = { ...next, invariants };
    if (now.state === 'up') next = withoutDismissal(next, invariantId);
  }
  return next;
}

/**
 * Health as a slow sweep found it, which may still count on from a failure that has been proven to be over meanwhile: then its
 * last check stands by itself. Otherwise the next failure would seem to have begun with the one that is over.
 */
export function withoutEndedFailure(
  { definition, health: known }: RegisteredInvariant,
  health: InvariantHealth,
): InvariantHealth {
  const { lastCheck, failingSince } = health;
  if (known.state !== 'up' || !known.lastCheck || !lastCheck || failingSince === null) return health;
  if (Date.parse(failingSince) >= Date.parse(known.lastCheck.at)) return health;
  const { confirm, recover } = definition;
  const policy = { attempts: confirm.attempts, successes: recover.successes, confirmed: false };
  return applyCheck(known, lastCheck, policy);
}

/** Overtaken by a newer check, or made during a pause. */
function isVoid(
  { pauses }: RegistryState,
  known: RegisteredInvariant,
  { lastCheck }: InvariantHealth,
): boolean {
  if (!lastCheck) return false;
  return (
    isStale(known.health.lastCheck, lastCheck) || pauseOf(pauses, known.definition, lastCheck.at) !== null
  );
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
