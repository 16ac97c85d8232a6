import type { z } from 'zod';
import { compileCondition } from '../domain/condition';
import type { InvariantDefinition } from '../domain/invariant';
import { INVARIANT_DEFAULTS, PRIORITIES } from '../domain/invariant';
import {
  duration,
  filled,
  flag,
  identifier,
  integer,
  mapping,
  oneOf,
  section,
  text,
  texts,
  urlProblem,
} from './fields';
import { formatPath, toProblems } from './problems';
import { badSecretNames, hasSecretReference } from './secrets';

const D = INVARIANT_DEFAULTS;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const QUERY_FORMS =
  'expected a query: http(s)://host/path, latency:http(s)://host/path or tcp://host:port (other queries need telemetry, which is not supported yet)';

const query = filled().superRefine((value, context) => {
  const message = queryProblem(value);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

const condition = filled().superRefine((value, context) => {
  const compiled = compileCondition(value);
  if (compiled.ok) return;
  const column = compiled.column === null ? '' : ` (column ${compiled.column} of the condition)`;
  const message = `expected a condition such as "status == 200" or "< 200": ${compiled.message}${column}`;
  context.addIssue({ code: 'custom', message });
});

const headers = mapping(text()).superRefine((values, context) => {
  for (const [name, value] of Object.entries(values)) {
    for (const bad of badSecretNames(value)) {
      context.addIssue({
        code: 'custom',
        path: [name],
        message: `expected the name of an environment variable in \${env:${bad}}`,
      });
    }
  }
});

const request = section({
  method: oneOf(METHODS).default(D.request.method),
  headers: headers.default(D.request.headers),
  body: text().nullable().default(D.request.body),
  follow_redirects: integer(0, 10).default(D.request.followRedirects),
});

/** An invariant as files and the API write it; durations become milliseconds. */
export const invariantSchema = section({
  id: identifier(),
  name: filled().max(200, 'expected at most 200 characters').optional(),
  description: text().default(D.description),
  query,
  condition,
  enabled: flag().default(D.enabled),
  service: text().nullable().default(D.service),
  request: request.prefault({}),
  timeout: duration('10ms', '30s').default(D.timeoutMs),
  confirm: section({
    attempts: integer(1, 10).default(D.confirm.attempts),
    spacing: duration('0ms', '10s').default(D.confirm.spacingMs),
  }).prefault({}),
  recover: section({
    successes: integer(1, 20).default(D.recover.successes),
    spacing: duration('0ms', '10s').default(D.recover.spacingMs),
  }).prefault({}),
  priority: oneOf(PRIORITIES).default(D.priority),
  suppressed_by: texts().default([...D.suppressedBy]),
});

export function toDefinition(wire: z.output<typeof invariantSchema>): InvariantDefinition {
  return {
    id: wire.id,
    name: wire.name ?? wire.id,
    description: wire.description,
    query: wire.query,
    condition: wire.condition,
    enabled: wire.enabled,
    service: wire.service,
    request: {
      method: wire.request.method,
      headers: wire.request.headers,
      body: wire.request.body,
      followRedirects: wire.request.follow_redirects,
    },
    timeoutMs: wire.timeout,
    confirm: { attempts: wire.confirm.attempts, spacingMs: wire.confirm.spacing },
    recover: { successes: wire.recover.successes, spacingMs: wire.recover.spacing },
    priority: wire.priority,
    suppressedBy: wire.suppressed_by,
  };
}

export type ParsedInvariant =
  | { readonly ok: true; readonly definition: InvariantDefinition }
  | { readonly ok: false; readonly problems: readonly { readonly path: string; readonly message: string }[] };

/**
 * Parses one invariant of the API. References to secrets are refused here: a caller of the API could otherwise send
 * the environment of the harness to a host of its choice.
 */
export function parseInvariant(raw: unknown): ParsedInvariant {
  const parsed = invariantSchema.safeParse(raw);
  if (!parsed.success) {
    const problems = toProblems(parsed.error.issues, raw);
    return {
      ok: false,
      problems: problems.map(({ path, message }) => ({ path: formatPath(path), message })),
    };
  }
  const secret = Object.entries(parsed.data.request.headers).find(([, value]) => hasSecretReference(value));
  if (secret) {
    const path = formatPath(['request', 'headers', secret[0]]);
    const message = `${path}: \${env:…} is allowed only in harness.yaml; move this invariant there`;
    return { ok: false, problems: [{ path, message }] };
  }
  return { ok: true, definition: toDefinition(parsed.data) };
}

/** Null when the harness can probe this query; else what is expected instead. */
function queryProblem(value: string): string | null {
  const [, latency, scheme] = /^(latency:)?([a-z]+):\/\//.exec(value) ?? [];
  if (scheme === 'http' || scheme === 'https') {
    return urlProblem(latency === undefined ? value : value.slice(latency.length), ['http:', 'https:']);
  }
  if (scheme !== 'tcp' || latency !== undefined) return QUERY_FORMS;
  const url = URL.canParse(value) ? new URL(value) : null;
  const isTarget = url !== null && url.hostname !== '' && url.port !== '' && /^\/?$/.test(url.pathname);
  return isTarget && url.search === '' && url.username === '' ? null : 'expected tcp://host:port';
}
