export type CheckRequest =
  | { readonly ok: true; readonly key: string; readonly cost: number }
  /** `detail` never contains text of the client. `field` null: the body as a whole. */
  | { readonly ok: false; readonly field: 'key' | 'cost' | null; readonly detail: string };

const MAX_KEY_LENGTH = 256;

/** Parses the body of `POST /check`: `{key, cost?}`, nothing else; `cost` is 1 when absent. */
export function parseCheckRequest(body: string, capacity: number): CheckRequest {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { ok: false, field: null, detail: 'The body is not valid JSON. Send {"key": "…", "cost": 1}.' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      ok: false,
      field: null,
      detail: 'The body must be a JSON object with "key" and, if wanted, "cost".',
    };
  }
  if (Object.keys(value).some((name) => name !== 'key' && name !== 'cost')) {
    return {
      ok: false,
      field: null,
      detail: 'The body has an unknown field; the fields are "key" and "cost".',
    };
  }
  const { key, cost = 1 }: { key?: unknown; cost?: unknown } = value;
  if (typeof key !== 'string' || key.length === 0 || key.length > MAX_KEY_LENGTH) {
    return { ok: false, field: 'key', detail: `key must be a string of 1 to ${MAX_KEY_LENGTH} characters.` };
  }
  if (typeof cost !== 'number' || !Number.isInteger(cost) || cost < 1) {
    return { ok: false, field: 'cost', detail: 'cost must be a whole number of at least 1.' };
  }
  if (cost > capacity) {
    const detail = `cost is above the capacity ${capacity}, so it could never be allowed. Split the request or raise the capacity.`;
    return { ok: false, field: 'cost', detail };
  }
  return { ok: true, key, cost };
}
