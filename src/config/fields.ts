import { z } from 'zod';
import { parseDuration } from '../domain/duration';
import { INVARIANT_ID } from '../domain/invariant';

/** Building blocks of the wire schemas. Every message reads as the end of "<path>: expected …". */
export const text = () => z.string('expected a text (a number or true/false must be quoted)');
export const filled = () => text().min(1, 'expected a text that is not empty');
export const flag = () => z.boolean('expected true or false');
export const texts = () => z.array(text(), 'expected a list of texts');
export const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, `expected one of ${values.join(', ')}`);

export function integer(min: number, max: number) {
  const message = `expected a whole number from ${min} to ${max}`;
  return z.int(message).min(min, message).max(max, message);
}

export function amount(min: number, max: number) {
  const message = `expected a number from ${min} to ${max}`;
  return z.number(message).min(min, message).max(max, message);
}

/** A duration text; the result is in milliseconds. */
export function duration(min: string, max: string) {
  const [least, most] = [parseDuration(min) ?? 0, parseDuration(max) ?? Infinity];
  const message = `expected a duration from ${min} to ${max}, such as 500ms, 5s or 10m`;
  return z.string(message).transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== null && ms >= least && ms <= most) return ms;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export const identifier = () => {
  const message = 'expected 1 to 64 of a-z, 0-9, "_" and "-", starting with a letter or digit';
  return z.string(message).regex(INVARIANT_ID, message);
};

/** A mapping with known keys only; an unknown one is reported with the allowed ones. */
export function section<T extends z.core.$ZodLooseShape>(shape: T) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `allowed: ${Object.keys(shape).join(', ')}`
        : 'expected a mapping (key: value)',
  });
}

export function mapping<T extends z.core.SomeType>(value: T) {
  return z.record(z.string(), value, 'expected a mapping (key: value)');
}

/** Null when the text is an absolute URL of one of the protocols; else what is expected instead. */
export function urlProblem(value: string, protocols: readonly string[]): string | null {
  const expected = `expected a URL with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`;
  if (!URL.canParse(value)) return expected;
  const url = new URL(value);
  if (!protocols.includes(url.protocol) || url.hostname === '') return expected;
  if (url.username !== '' || url.password !== '') {
    return 'expected a URL without user and password (put credentials into request.headers, as ${env:NAME})';
  }
  return null;
}

export function httpUrl() {
  return text().superRefine((value, context) => {
    const message = urlProblem(value, ['http:', 'https:']);
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
}
