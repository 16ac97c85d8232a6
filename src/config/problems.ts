import type { z } from 'zod';

export type ProblemPath = readonly (string | number)[];

/** One thing that is wrong with a configuration; `at` says which part of the entry a person has to look at. */
export interface Problem {
  readonly path: ProblemPath;
  readonly message: string;
  readonly at: 'key' | 'value';
}

/** Keys that the documentation names and that have no effect yet, by the path of their section. */
const NOT_SUPPORTED_YET: readonly { readonly section: RegExp; readonly keys: readonly string[] }[] = [
  { section: /^$/, keys: ['telemetry', 'commands', 'notify', 'heartbeat_url'] },
  { section: /^services\.[^.]+$/, keys: ['control'] },
  { section: /^(invariants\[\d+\]\.)?request$/, keys: ['tls'] },
  { section: /^agent$/, keys: ['autonomy', 'approval_ttl'] },
];
const SECRET_NAME = /token|secret|passw|credential|authorization|cookie|api[_-]?key|private/i;
const MAX_SHOWN = 80;

export function formatPath(path: ProblemPath): string {
  return path.reduce<string>((shown, part) => {
    if (typeof part === 'number') return `${shown}[${part}]`;
    return shown === '' ? part : `${shown}.${part}`;
  }, '');
}

export function soundsSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** A value as it may be shown: short, and never one whose key sounds secret. */
export function showValue(value: unknown, path: ProblemPath): string {
  if (path.some((part) => typeof part === 'string' && soundsSecret(part))) return '"…"';
  const shown = JSON.stringify(value) ?? 'nothing';
  return shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
}

export function valueAt(raw: unknown, path: ProblemPath): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    return (value as Record<string | number, unknown>)[part];
  }, raw);
}

/** Turns what zod found in `raw` into problems, one for each unknown key. */
export function toProblems(issues: readonly z.core.$ZodIssue[], raw: unknown): Problem[] {
  return issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => unknownKey([...path, key], raw, issue.message));
    }
    if (issue.code === 'invalid_key') {
      const message = `${formatPath(path)}: ${issue.issues[0]?.message ?? 'expected another name'}`;
      return [{ path, at: 'key' as const, message }];
    }
    return [valueProblem(path, raw, issue.message)];
  });
}

/** A problem with the value at `path`; a missing value is reported where it should have been. */
function valueProblem(path: ProblemPath, raw: unknown, message: string): Problem {
  const value = valueAt(raw, path);
  const name = formatPath(path);
  const prefix = name === '' ? '' : `${name}: `;
  if (value === undefined) return { path, at: 'value', message: `${prefix}missing; ${message}` };
  return { path, at: 'value', message: `${prefix}${message}, got ${showValue(value, path)}` };
}

function unknownKey(path: ProblemPath, raw: unknown, allowed: string): Problem {
  const key = String(path.at(-1));
  const section = formatPath(path.slice(0, -1));
  const later = NOT_SUPPORTED_YET.some((entry) => entry.section.test(section) && entry.keys.includes(key));
  const where = section === '' ? '' : ` in ${section}`;
  const what = `unknown key "${key}" (value ${showValue(valueAt(raw, path), path)})${where}`;
  return { path, at: 'key', message: `${what}; ${later ? 'not supported yet, remove it; ' : ''}${allowed}` };
}
