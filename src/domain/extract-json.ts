import type { Json } from './json';
import { isRecord } from './json';

/** Longer answers are not searched; the sum of all tries stays bounded. */
const MAX_LENGTH = 64 * 1024;
const MAX_TRIES = 32;

/**
 * JSON objects in an answer of a model that was only asked for JSON: the whole text, else objects between other words or in
 * code fences, in order. Text that is not JSON is passed over.
 */
export function findJsonObjects(text: string): { readonly [key: string]: Json }[] {
  const whole = parseObject(text);
  if (whole) return [whole];
  const found: { readonly [key: string]: Json }[] = [];
  const searched = text.slice(0, MAX_LENGTH);
  let start = searched.indexOf('{');
  for (let tries = 0; start !== -1 && tries < MAX_TRIES; tries += 1) {
    const end = endOfObject(searched, start);
    const object = end === null ? null : parseObject(searched.slice(start, end));
    if (object) found.push(object);
    start = searched.indexOf('{', object && end !== null ? end : start + 1);
  }
  return found;
}

/** Behind the brace that closes the one at `start`; braces inside strings do not count. */
function endOfObject(text: string, start: number): number | null {
  let depth = 0;
  let inString = false;
  for (let index = start; index < text.length; index += 1) {
    const char = text[index];
    if (inString) {
      if (char === '\\') index += 1;
      else if (char === '"') inString = false;
    } else if (char === '"') inString = true;
    else if (char === '{') depth += 1;
    else if (char === '}') {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return null;
}

function parseObject(text: string): { readonly [key: string]: Json } | null {
  try {
    const value = JSON.parse(text) as Json;
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
