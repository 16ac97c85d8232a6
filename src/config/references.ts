import type { Problem } from './problems';
import { formatPath, showValue, valueAt } from './problems';

type Entry = Readonly<Record<string, unknown>>;

/**
 * Checks what one entry says about another: services and invariants that do not exist, IDs used twice, cycles. Works
 * on the raw value, so that it reports its problems also when other parts are wrong.
 */
export function findReferenceProblems(raw: unknown): Problem[] {
  const services = entries(valueAt(raw, ['services']));
  const invariants = items(valueAt(raw, ['invariants']));
  return [
    ...invariants.flatMap((invariant, index) => invariantProblems(invariant, index, invariants, services)),
    ...[...services].flatMap(([name, service]) => dependencyProblems(name, service, services)),
    ...cycleProblems(services),
  ];
}

/** Names of services, dependencies first, otherwise in the order of the file. `dependsOn` must be free of cycles. */
export function startOrder(services: ReadonlyMap<string, readonly string[]>): string[] {
  const order = new Set<string>();
  const visit = (name: string): void => {
    if (order.has(name)) return;
    for (const dependency of services.get(name) ?? []) visit(dependency);
    order.add(name);
  };
  for (const name of services.keys()) visit(name);
  return [...order];
}

function invariantProblems(
  invariant: Entry,
  index: number,
  all: readonly Entry[],
  services: ReadonlyMap<string, Entry>,
): Problem[] {
  const at = (path: readonly (string | number)[], message: string): Problem => {
    const full = ['invariants', index, ...path];
    return { path: full, at: 'value', message: `${formatPath(full)}: ${message}` };
  };
  const problems: Problem[] = [];
  const { id, service } = invariant;
  const first = all.findIndex((other) => other['id'] === id);
  if (typeof id === 'string' && first < index) {
    problems.push(
      at(['id'], `duplicate invariant id "${id}" (first used by invariants[${first}]); rename one`),
    );
  }
  if (typeof service === 'string' && !services.has(service)) {
    problems.push(at(['service'], unknownName('service', service, services.keys())));
  }
  for (const [position, other] of strings(invariant['suppressed_by'])) {
    const path = ['suppressed_by', position];
    if (other === id) problems.push(at(path, `"${other}" cannot suppress itself; remove it`));
    else if (!all.some((candidate) => candidate['id'] === other)) {
      const ids = all.map((candidate) => candidate['id']).filter((value) => typeof value === 'string');
      problems.push(at(path, unknownName('invariant', other, ids)));
    }
  }
  return problems;
}

function dependencyProblems(name: string, service: Entry, services: ReadonlyMap<string, Entry>): Problem[] {
  return strings(service['depends_on'])
    .filter(([, dependency]) => !services.has(dependency))
    .map(([position, dependency]) => {
      const path = ['services', name, 'depends_on', position];
      const message = `${formatPath(path)}: ${unknownName('service', dependency, services.keys())}`;
      return { path, at: 'value', message };
    });
}

/** One problem for each cycle, at the dependency that closes it. */
function cycleProblems(services: ReadonlyMap<string, Entry>): Problem[] {
  const problems: Problem[] = [];
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    if (done.has(name)) return;
    for (const [position, dependency] of strings(services.get(name)?.['depends_on'])) {
      const start = [...way, name].indexOf(dependency);
      if (start === -1) {
        visit(dependency, [...way, name]);
        continue;
      }
      const path = ['services', name, 'depends_on', position];
      const cycle = [...[...way, name].slice(start), dependency].join(' → ');
      problems.push({
        path,
        at: 'value',
        message: `${formatPath(path)}: services depend on each other in a cycle (${cycle}); remove one of these`,
      });
    }
    done.add(name);
  };
  for (const name of services.keys()) visit(name, []);
  return problems;
}

function unknownName(kind: string, name: string, known: Iterable<string>): string {
  const names = [...known].join(', ');
  return `unknown ${kind} ${showValue(name, [])}; ${names === '' ? 'there are none' : `there are: ${names}`}`;
}

function isEntry(value: unknown): value is Entry {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function entries(value: unknown): Map<string, Entry> {
  return new Map(
    isEntry(value) ? Object.entries(value).map(([name, entry]) => [name, isEntry(entry) ? entry : {}]) : [],
  );
}

function items(value: unknown): Entry[] {
  return Array.isArray(value) ? value.map((item: unknown) => (isEntry(item) ? item : {})) : [];
}

function strings(value: unknown): [number, string][] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown, index): [number, string][] =>
    typeof item === 'string' ? [[index, item]] : [],
  );
}
