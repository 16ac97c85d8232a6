import type { InvariantDefinition } from '../domain/invariant';

const SECRET_HEADER = /authorization|cookie|token|secret|passw|api-?key/i;

/** A definition as files and the API write it; what comes out goes in again, unless secrets were hidden. */
export function invariantWire(
  definition: InvariantDefinition,
  { hideSecrets }: { readonly hideSecrets: boolean },
) {
  const { request } = definition;
  return {
    id: definition.id,
    name: definition.name,
    description: definition.description,
    query: definition.query,
    condition: definition.condition,
    enabled: definition.enabled,
    service: definition.service,
    request: {
      method: request.method,
      headers: hideSecrets ? hideHeaders(request.headers) : request.headers,
      body: request.body,
      follow_redirects: request.followRedirects,
    },
    timeout: durationText(definition.timeoutMs),
    confirm: { attempts: definition.confirm.attempts, spacing: durationText(definition.confirm.spacingMs) },
    recover: { successes: definition.recover.successes, spacing: durationText(definition.recover.spacingMs) },
    priority: definition.priority,
    suppressed_by: definition.suppressedBy,
  };
}

/** `2s`, `250ms`: the shortest text that means exactly this. */
export function durationText(ms: number): string {
  return ms !== 0 && ms % 1_000 === 0 ? `${ms / 1_000}s` : `${ms}ms`;
}

function hideHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const isReference = value.includes('${env:');
      return [name, SECRET_HEADER.test(name) && !isReference ? '[hidden]' : value];
    }),
  );
}
