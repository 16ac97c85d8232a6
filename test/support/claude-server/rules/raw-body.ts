import type { z } from 'zod';
import { invalid } from '../refusal';
import type { Refusal } from '../refusal';

export type RawBody = Readonly<Record<string, unknown>>;

/** Gone since API version 2026-10-21, at any value. */
export function refuseSampling(body: RawBody): Refusal | null {
  const field = ['temperature', 'top_p', 'top_k'].find((name) => name in body);
  return field === undefined ? null : invalid(`\`${field}\` is not supported in this API version.`);
}

const BETA_FIELDS: Readonly<Record<string, string>> = {
  context_management: 'context-management-',
  compaction: 'compact-',
  thread: 'message-threads-',
  mcp_servers: 'mcp-client-',
  fallbacks: 'fallbacks-',
  block_binding: 'block-binding-',
  output_format: 'structured-outputs-',
  speed: 'fast-mode-',
};

/** Unknown without their header; with it this server says honestly that it does not play them. */
export function refuseBetaFields(body: RawBody, betas: readonly string[]): Refusal | null {
  for (const [field, prefix] of Object.entries(BETA_FIELDS)) {
    if (!(field in body)) continue;
    const isAllowed = betas.some((beta) => beta.startsWith(prefix));
    return invalid(
      isAllowed
        ? `${field}: the stand-in does not play this beta feature`
        : `${field}: Extra inputs are not permitted`,
    );
  }
  return null;
}

/** The request with its types known, or the first thing wrong with its shape in the API's words. */
export function checkShape<Schema extends z.ZodType>(
  schema: Schema,
  body: RawBody,
): { readonly request: z.infer<Schema> } | { readonly refusal: Refusal } {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { request: parsed.data };
  return { refusal: invalid(describeIssue(body, deepest(parsed.error.issues), [])) };
}

type Issue = z.core.$ZodIssue;

/** An unknown field is named before a missing one: it is the more helpful of the two. */
function deepest(issues: readonly Issue[]): Issue {
  const [first] = issues;
  if (!first) throw new Error('a schema refused without a reason');
  return issues.find(({ code }) => code === 'unrecognized_keys') ?? first;
}

function describeIssue(body: unknown, issue: Issue, above: readonly PropertyKey[]): string {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return `${[...path, issue.keys[0]].map(String).join('.')}: Extra inputs are not permitted`;
  }
  const value = valueAt(body, path);
  if (issue.code === 'invalid_union') {
    // Of the alternatives (text or list of blocks) the one that the value was meant to be.
    const meant = issue.errors.find((errors) => errors.every((error) => error.path.length > 0));
    if (meant && meant.length > 0) return describeIssue(body, deepest(meant), path);
    if (issue.discriminator !== undefined && value !== undefined) {
      return `${[...path].map(String).join('.')}: Input tag found using '${issue.discriminator}' does not match any of the expected tags`;
    }
  }
  const where = path.map(String).join('.');
  return value === undefined ? `${where}: Field required` : `${where}: ${issue.message}`;
}

function valueAt(body: unknown, path: readonly PropertyKey[]): unknown {
  let value = body;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}
