import type { InvariantDefinition } from './invariant';
import type { InvariantHealth } from './health';

export type InvariantSource = 'file' | 'api';

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
  | { readonly type: 'transitions'; readonly at: string; readonly transitions: readonly HealthTransition[] };

export type RegistryRejection =
  | { readonly code: 'not_found'; readonly id: string; readonly message: string }
  | { readonly code: 'already_exists'; readonly id: string; readonly message: string }
  | { readonly code: 'file_owned'; readonly id: string; readonly message: string }
  | { readonly code: 'invalid'; readonly id: string; readonly message: string };
