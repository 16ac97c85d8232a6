import type { InvariantDefinition } from './invariant';

export type PauseTarget =
  | { readonly kind: 'all' }
  | { readonly kind: 'service'; readonly service: string }
  | { readonly kind: 'invariant'; readonly invariantId: string };

/** A person's word that something is not to be watched; over by itself at `until`, which is decided when a check is made. */
export interface Pause {
  readonly target: PauseTarget;
  readonly by: string;
  readonly at: string;
  /** Null: until somebody resumes it. */
  readonly until: string | null;
}

/** Names the rule by which policy refuses what would act on something that is paused. */
export const PAUSED_RULE = 'paused';

/** One pause per target, by `pauseKey`. */
export type Pauses = Readonly<Record<string, Pause>>;

type Subject = Pick<InvariantDefinition, 'service'> & { readonly id: string | null };

export function pauseKey(target: PauseTarget): string {
  switch (target.kind) {
    case 'all':
      return 'all';
    case 'service':
      return `service/${target.service}`;
    case 'invariant':
      return `invariant/${target.invariantId}`;
  }
}

export function covers(target: PauseTarget, subject: Subject): boolean {
  switch (target.kind) {
    case 'all':
      return true;
    case 'service':
      return target.service === subject.service;
    case 'invariant':
      return target.invariantId === subject.id;
  }
}

/** The pauses that are not over at that moment. */
export function activePauses(pauses: Pauses | undefined, at: string): readonly Pause[] {
  return Object.values(pauses ?? {}).filter(({ until }) => until === null || at < until);
}

/** The pause an invariant (or a service: `id` null) is under at that moment, the one that ends last; null when watched. */
export function pauseOf(pauses: Pauses | undefined, subject: Subject, at: string): Pause | null {
  const [longest] = activePauses(pauses, at)
    .filter(({ target }) => covers(target, subject))
    .sort((a, b) => (endOf(a) < endOf(b) ? 1 : -1));
  return longest ?? null;
}

export function addPause(pauses: Pauses | undefined, pause: Pause): Pauses {
  return byKey([...activePauses(pauses, pause.at), pause]);
}

/** Lifts the pause on exactly that target; `all` lifts every pause. */
export function liftPause(pauses: Pauses | undefined, target: PauseTarget, at: string): Pauses {
  if (target.kind === 'all') return {};
  const key = pauseKey(target);
  return byKey(activePauses(pauses, at).filter((pause) => pauseKey(pause.target) !== key));
}

function byKey(pauses: readonly Pause[]): Pauses {
  return Object.fromEntries(pauses.map((pause) => [pauseKey(pause.target), pause]));
}

/** After every date. */
const NEVER = '~';

function endOf({ until }: Pause): string {
  return until ?? NEVER;
}
