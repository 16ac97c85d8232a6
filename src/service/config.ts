import type { Limits } from './token-bucket';

/** What the config file says; in the file the names are `enabled`, `delay_ms`, `capacity`, `refill_per_second`. */
export interface ServiceConfig extends Limits {
  /** false: `/health` and `/check` answer 503. */
  readonly enabled: boolean;
  /** Every response waits this long. */
  readonly delayMs: number;
}

export type ParsedConfig =
  { readonly ok: true; readonly config: ServiceConfig } | { readonly ok: false; readonly problem: string };

const DEFAULTS = { enabled: true, delay_ms: 0, capacity: 100, refill_per_second: 50 } as const;
type Field = keyof typeof DEFAULTS;

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}
const RANGES: Readonly<Record<Exclude<Field, 'enabled'>, Range>> = {
  delay_ms: { min: 0, max: 60_000, whole: true },
  capacity: { min: 1, max: 1_000_000, whole: true },
  refill_per_second: { min: 0.001, max: 1_000_000, whole: false },
};

/** The text written at the first start. */
export const DEFAULT_CONFIG_TEXT = `${JSON.stringify(DEFAULTS, null, 2)}\n`;

/** Parses the config file's text. A missing field has its default; an unknown one is a problem, as is a value out of range. */
export function parseConfig(text: string): ParsedConfig {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `not valid JSON: ${syntaxProblem(text, error)}` };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, problem: `must be a JSON object, not ${shown(value)}` };
  }
  const unknown = Object.keys(value).find((key) => !Object.hasOwn(DEFAULTS, key));
  if (unknown !== undefined) {
    const known = Object.keys(DEFAULTS).join(', ');
    return { ok: false, problem: `unknown field ${shown(unknown)}; the fields are ${known}` };
  }

  const problems: string[] = [];
  const fields: Readonly<Record<Field, unknown>> = { ...DEFAULTS, ...value };
  const number = (field: keyof typeof RANGES): number => {
    const found = fields[field];
    const { min, max, whole } = RANGES[field];
    if (typeof found === 'number' && found >= min && found <= max && (!whole || Number.isInteger(found))) {
      return found;
    }
    const kind = whole ? 'a whole number' : 'a number';
    problems.push(`${field} must be ${kind} from ${min} to ${max}, not ${shown(found)}`);
    return DEFAULTS[field];
  };
  const { enabled } = fields;
  if (typeof enabled !== 'boolean') problems.push(`enabled must be true or false, not ${shown(enabled)}`);
  const config = {
    enabled: enabled === true,
    delayMs: number('delay_ms'),
    capacity: number('capacity'),
    refillPerSecond: number('refill_per_second'),
  };
  return problems.length === 0 ? { ok: true, config } : { ok: false, problem: problems.join('; ') };
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** V8 gives a position for some errors only; people look for a line. */
function syntaxProblem(text: string, error: unknown): string {
  if (text.trim() === '') return 'the file is empty';
  const message = error instanceof Error ? error.message : String(error);
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return message;
  const before = text.slice(0, Number(position)).split('\n');
  return `${message} (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}
