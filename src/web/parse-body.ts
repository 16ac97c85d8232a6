import type { Request } from 'express';
import type { z } from 'zod';
import { Problem } from './problem';

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** A body or query that makes no sense, with every field that is wrong. */
export function invalidInput(problems: readonly FieldProblem[], status: 400 | 422 = 422): Problem {
  const detail = problems.map(({ message }) => message).join('; ');
  return new Problem(status, 'Invalid input', detail, { members: { errors: problems } });
}

/** The JSON body, an empty one as `{}`. Throws a Problem for another content type: it would be ignored silently. */
export function jsonBody(request: Request): unknown {
  const hasBody = request.get('content-length') !== undefined && request.get('content-length') !== '0';
  const isSent = hasBody || request.get('transfer-encoding') !== undefined;
  if (isSent && !request.is('application/json')) {
    const type = request.get('content-type') ?? 'none';
    throw new Problem(415, 'Unsupported media type', `Send the body as application/json, not as ${type}.`);
  }
  return isSent ? (request.body as unknown) : {};
}

export function parseInput<T>(schema: z.ZodType<T>, input: unknown, status: 400 | 422 = 422): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error.issues.map(fieldProblem), status);
}

function fieldProblem(issue: z.core.$ZodIssue): FieldProblem {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') {
    return { path, message: `unknown key ${issue.keys.map((key) => `"${key}"`).join(', ')}` };
  }
  return { path, message: path === '' ? issue.message : `${path}: ${issue.message}` };
}
