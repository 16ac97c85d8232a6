import type { Incident } from './incident';
import type { RegisteredInvariant, RegistryState } from './registry';
import type { ServiceStatus } from './service-state';
import type { EvidenceItem } from './ticket';

type Draft = Omit<EvidenceItem, 'id'>;

/** How the failing invariant is checked; null when it is not registered any more. Header values are left out: they hold secrets. */
export function configurationItem(incident: Incident, registry: RegistryState, at: string): Draft | null {
  const definition = registry.invariants[incident.invariantId]?.definition;
  if (!definition) return null;
  const { name, description, query, condition, request, timeoutMs, confirm, recover } = definition;
  const { priority, suppressedBy } = definition;
  const headers = Object.keys(request.headers);
  const shown = {
    name,
    description,
    query,
    condition,
    request: { method: request.method, headers, followRedirects: request.followRedirects },
    timeoutMs,
    confirm,
    recover,
    priority,
    suppressedBy,
  };
  return { kind: 'report', at, title: `how ${definition.id} is checked`, text: JSON.stringify(shown) };
}

/** The service's other invariants, and the services that it depends on with theirs; null when there is nothing to tell. */
export function surroundingsItem(
  { invariantId, service }: Pick<Incident, 'invariantId' | 'service'>,
  known: {
    readonly registry: RegistryState;
    readonly services: readonly ServiceStatus[];
    readonly dependsOn: readonly string[];
  },
  at: string,
): Draft | null {
  if (service === null) return null;
  const all = Object.values(known.registry.invariants);
  const statesOf = (name: string): string[] =>
    all
      .filter(({ definition }) => definition.service === name && definition.id !== invariantId)
      .map(describeInvariant);
  const dependencies = known.dependsOn.flatMap((name) => {
    const status = known.services.find((candidate) => candidate.name === name);
    return [`${service} depends on ${name}: ${describeStatus(status)}`, ...statesOf(name)];
  });
  const lines = [...statesOf(service), ...dependencies];
  if (lines.length === 0) return null;
  const what = known.dependsOn.length > 0 ? `, and what it depends on` : '';
  return { kind: 'report', at, title: `the other invariants of ${service}${what}`, text: lines.join('\n') };
}

function describeInvariant({ definition, health }: RegisteredInvariant): string {
  const { id, service, enabled } = definition;
  const state = enabled ? `${health.state} since ${health.since}` : 'not checked';
  return `invariant ${id} of ${service ?? 'no service'}: ${state}`;
}

function describeStatus(status: ServiceStatus | undefined): string {
  if (!status) return 'not known to the supervisor';
  return `${status.state}, ${status.ready ? 'ready' : 'not ready'}`;
}
