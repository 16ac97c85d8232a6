export interface KnownSecret {
  /** Shown in place of the value: usually the name of the environment variable. */
  readonly name: string;
  readonly value: string;
}

/** Masks secrets in a text. */
export type Redact = (text: string) => string;

/** A shorter value (a port, `true`, a log level) would mask ordinary text. */
const MIN_SECRET_LENGTH = 8;

type Replacement = string | ((match: string, ...groups: (string | undefined)[]) => string);

/**
 * Every pattern is linear: it either consumes what it looked at, or looks at a bounded number of characters, or can begin
 * only at the start of a run (look-behind).
 */
const PATTERNS: readonly (readonly [RegExp, Replacement])[] = [
  [
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|$)/g,
    '[redacted:private-key]',
  ],
  [/sk-ant-[A-Za-z0-9_-]{8,}/g, '[redacted:anthropic-key]'],
  [/\bsk-(?:proj-)?[A-Za-z0-9]{20,}/g, '[redacted:api-key]'],
  [/\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{20,})/g, '[redacted:github-token]'],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, '[redacted:aws-key]'],
  [/(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*){0,3}/g, '[redacted:jwt]'],
  [/:\/\/[^\s/?#"'<>:@]{0,256}:[^\s/?#"'<>]{1,256}@/g, '://[redacted:userinfo]@'],
  [/:\/\/[A-Za-z0-9_-]{20,256}@/g, '://[redacted:userinfo]@'],
  [
    /((?:authorization|set-cookie|\bcookie)\\?["']?\s{0,4}[:=]\s{0,4}\\?["']?)(?!\s*\[redacted:)([^\r\n"'\\]{4,4096})/gi,
    (_match, head) => `${head}[redacted:header]`,
  ],
  [/(\bbearer )[A-Za-z0-9._~+/-]{16,}={0,2}/gi, (_match, head) => `${head}[redacted:bearer]`],
];

const SECRET_NAME =
  'password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|secret[_-]?key|auth[_-]?key';
/** `name=value`, `name: value`, `"name":"value"`, in JSON inside JSON too (escaped quotes). */
const ASSIGNMENT = new RegExp(
  `((?:${SECRET_NAME})(\\\\?["'])?)(\\s{0,4}[=:]\\s{0,4})` +
    `(?:(\\\\?["'])((?:[^"'\\\\\\r\\n]|\\\\(?!["'])){1,4096})|([^\\s"'\\\\,;&<>{}()\\[\\]]{1,4096})(\\()?)`,
  'gi',
);
const FLAG = new RegExp(
  `(--(?:[a-z]{1,20}-){0,3}(?:${SECRET_NAME})\\s{1,4}["']?)(?![-[])[^\\s"']{4,4096}`,
  'gi',
);
/** Words that stand after `password:` in prose, types and templates. */
const PLAIN_WORD =
  /^(?:string|number|boolean|null|undefined|none|nil|true|false|unknown|any|object|never|void|required|optional|missing|invalid|expired|expected|empty|unset|not|is|was|has|the|must|redacted|\*+|\.{3}|\$.*|-+)$/i;
const CODE_PATH = /^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)+;?$/;

function redactAssignment(
  match: string,
  name: string | undefined,
  nameQuote: string | undefined,
  separator: string | undefined,
  quote: string | undefined,
  quoted: string | undefined,
  bare: string | undefined,
  call: string | undefined,
): string {
  const masked = `${name ?? ''}${separator ?? ''}${quote ?? ''}[redacted:secret]`;
  if (quoted !== undefined) return /^(?:\[redacted:|\$\{)/.test(quoted) ? match : masked;
  const value = bare ?? '';
  if (PLAIN_WORD.test(value)) return match;
  // `const token = readToken()` and `password: config.password` are code; `TOKEN=a.b` is a value.
  const isSpaced = /\s/.test(separator ?? '');
  if (isSpaced && (call !== undefined || CODE_PATH.test(value))) return match;
  // `"token": 12` is a count.
  if (nameQuote !== undefined && /^[\d.]+$/.test(value)) return match;
  return `${masked}${call ?? ''}`;
}

/**
 * Makes the one function through which all text passes on its way to model, history, logs, files and screens: known values
 * (8 characters and longer, also as JSON, URL or base64) and well-known shapes become `[redacted:<what>]`.
 */
export function createRedactor(input: { readonly secrets: readonly KnownSecret[] }): Redact {
  const names = new Map<string, string>();
  for (const { name, value } of input.secrets) {
    if (value.length < MIN_SECRET_LENGTH) continue;
    for (const form of formsOf(value)) names.set(form, name);
  }
  const values = [...names.keys()].sort((a, b) => b.length - a.length);
  const known = values.length > 0 ? new RegExp(values.map(escapePattern).join('|'), 'g') : null;
  return (text) => {
    let masked = known ? text.replace(known, (value) => `[redacted:${names.get(value) ?? 'secret'}]`) : text;
    for (const [pattern, replacement] of PATTERNS) {
      masked =
        typeof replacement === 'string'
          ? masked.replace(pattern, replacement)
          : masked.replace(pattern, replacement);
    }
    return masked.replace(ASSIGNMENT, redactAssignment).replace(FLAG, '$1[redacted:secret]');
  };
}

function formsOf(value: string): string[] {
  return [value, JSON.stringify(value).slice(1, -1), toUrlText(value), toBase64(value)];
}

function toUrlText(value: string): string {
  return new URLSearchParams({ v: value }).toString().slice(2);
}

/** Without padding, so that it is found inside a longer text too. */
function toBase64(value: string): string {
  return Buffer.from(value, 'utf8').toString('base64').replace(/=+$/, '');
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
