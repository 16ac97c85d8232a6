import { setTimeout as delay } from 'node:timers/promises';
import { SEARCH_ATTRIBUTES } from '../workflows/contract';
import type { TemporalAccess } from './temporal';

/** temporal.api.enums.v1.IndexedValueType */
const WIRE_TYPES: Readonly<Record<number, string>> = {
  1: 'TEXT',
  2: 'KEYWORD',
  3: 'INT',
  4: 'DOUBLE',
  5: 'BOOL',
  6: 'DATETIME',
  7: 'KEYWORD_LIST',
};
const WIRE_NUMBERS: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(WIRE_TYPES).map(([number, name]) => [name, Number(number)]),
);

/** The namespace lacks a search attribute or has it with another type; the message names it and the way out. */
export class SearchAttributeError extends Error {
  override readonly name = 'SearchAttributeError';
}

/**
 * Registers the harness's search attributes and verifies them. Repeatable. Temporal answers OK to a conflicting
 * type as well, therefore what counts is what the namespace lists afterwards. Throws SearchAttributeError.
 */
export async function ensureSearchAttributes(
  access: TemporalAccess,
  wanted: Readonly<Record<string, string>> = SEARCH_ATTRIBUTES,
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  if (isComplete(wanted, await listTypes(access, deadline))) return;
  const refusal = await register(access, wanted, deadline);
  // The list lags behind the registration by a moment.
  for (;;) {
    const found = await listTypes(access, deadline);
    refuseConflicts(access, wanted, found);
    if (isComplete(wanted, found)) return;
    if (refusal !== null || Date.now() + 100 > deadline) throw missing(access, wanted, found, refusal);
    await delay(100);
  }
}

async function register(
  access: TemporalAccess,
  wanted: Readonly<Record<string, string>>,
  deadline: number,
): Promise<string | null> {
  const searchAttributes = Object.fromEntries(
    Object.entries(wanted).map(([name, type]) => [name, WIRE_NUMBERS[type] ?? 0]),
  );
  try {
    await access.connection.withDeadline(deadline, () =>
      access.connection.operatorService.addSearchAttributes({
        namespace: access.namespace,
        searchAttributes,
      }),
    );
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function listTypes(access: TemporalAccess, deadline: number): Promise<Map<string, string>> {
  const { customAttributes } = await access.connection.withDeadline(deadline, () =>
    access.connection.operatorService.listSearchAttributes({ namespace: access.namespace }),
  );
  return new Map(
    Object.entries(customAttributes).map(([name, type]) => [name, WIRE_TYPES[type] ?? String(type)]),
  );
}

function isComplete(wanted: Readonly<Record<string, string>>, found: ReadonlyMap<string, string>): boolean {
  return Object.entries(wanted).every(([name, type]) => found.get(name) === type);
}

function refuseConflicts(
  access: TemporalAccess,
  wanted: Readonly<Record<string, string>>,
  found: ReadonlyMap<string, string>,
): void {
  const conflicts = Object.entries(wanted).filter(([name, type]) => {
    const actual = found.get(name);
    return actual !== undefined && actual !== type;
  });
  if (conflicts.length === 0) return;
  const list = conflicts.map(([name, type]) => `${name} is ${found.get(name) ?? ''}, must be ${type}`);
  throw new SearchAttributeError(
    `search attributes of Temporal namespace "${access.namespace}" at ${access.address} have other types: ` +
      `${list.join('; ')}. Something else uses these names: give the harness a namespace of its own ` +
      '(TEMPORAL_NAMESPACE), or remove them with "temporal operator search-attribute remove --name …".',
  );
}

function missing(
  access: TemporalAccess,
  wanted: Readonly<Record<string, string>>,
  found: ReadonlyMap<string, string>,
  refusal: string | null,
): SearchAttributeError {
  const names = Object.entries(wanted).filter(([name]) => !found.has(name));
  const flags = names.map(([name, type]) => `--name ${name} --type ${type.toLowerCase()}`);
  return new SearchAttributeError(
    `search attributes missing in Temporal namespace "${access.namespace}" at ${access.address}: ` +
      `${names.map(([name]) => name).join(', ')}${refusal === null ? '' : ` (registering them: ${refusal})`}. ` +
      `Have an operator add them: temporal operator search-attribute create --namespace ${access.namespace} ${flags.join(' ')}`,
  );
}
