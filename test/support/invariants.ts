import type { CheckResult } from '../../src/domain/check';
import { initialHealth } from '../../src/domain/health';
import type { InvariantHealth } from '../../src/domain/health';
import { INVARIANT_DEFAULTS } from '../../src/domain/invariant';
import type { InvariantDefinition } from '../../src/domain/invariant';
import type { RegisteredInvariant } from '../../src/domain/registry';

export const T0 = '2026-01-02T03:04:05.000Z';

/** `T0` plus some milliseconds. */
export const at = (ms: number): string => new Date(Date.parse(T0) + ms).toISOString();

export function definition(id: string, over: Partial<InvariantDefinition> = {}): InvariantDefinition {
  return {
    ...INVARIANT_DEFAULTS,
    id,
    name: id,
    query: 'http://127.0.0.1:1/health',
    condition: 'status == 200',
    ...over,
  };
}

export function check(id: string, over: Partial<CheckResult> = {}): CheckResult {
  return { invariantId: id, revision: 1, at: T0, ok: true, latencyMs: 1, resolved: {}, error: null, ...over };
}

export function failed(id: string, over: Partial<CheckResult> = {}): CheckResult {
  return check(id, { ok: false, error: 'connect ECONNREFUSED 127.0.0.1:1', ...over });
}

export function registered(
  id: string,
  over: Partial<InvariantDefinition> = {},
  health: Partial<InvariantHealth> = {},
): RegisteredInvariant {
  return {
    definition: definition(id, over),
    source: 'file',
    revision: 1,
    updatedAt: T0,
    health: { ...initialHealth(T0), ...health },
  };
}

/** Health of an invariant that has been DOWN since then. */
export function downSince(id: string, since: string): InvariantHealth {
  return {
    state: 'down',
    since,
    failingSince: since,
    failures: 3,
    successes: 0,
    lastCheck: failed(id, { at: since }),
  };
}
