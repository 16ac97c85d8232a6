import { Environment } from '@marcbachmann/cel-js';
import type { ASTNode, ParseResult } from '@marcbachmann/cel-js';
import type { Json } from './json';

/** Values a condition may use, with their CEL types. */
const CONDITION_VARIABLES = {
  status: 'int',
  latency_ms: 'double',
  body: 'string',
  json: 'dyn',
  headers: 'map<string, string>',
  connected: 'bool',
  error: 'string',
  value: 'double',
  cert_days_left: 'double',
} as const;
type ConditionVariable = keyof typeof CONDITION_VARIABLES;

/** What a probe saw. A variable that is left out is not known for this query; using it makes the check fail with a reason. */
export interface ConditionValues {
  readonly status?: number;
  readonly latency_ms?: number;
  readonly body?: string;
  readonly json?: Json;
  readonly headers?: Readonly<Record<string, string>>;
  readonly connected?: boolean;
  readonly error?: string;
  readonly value?: number;
  readonly cert_days_left?: number;
}

export interface CompiledCondition {
  readonly text: string;
  readonly variables: ReadonlySet<ConditionVariable>;
  readonly program: ParseResult;
}

export type CompileResult =
  | { readonly ok: true; readonly condition: CompiledCondition }
  /** `column` counts from 1 in the text as it was given; null when no place is to blame. */
  | { readonly ok: false; readonly message: string; readonly column: number | null };

const MAX_LENGTH = 1_000;
const BARE_COMPARISON = /^\s*(?:<=|>=|==|!=|<|>)/;
const COMPREHENSIONS: ReadonlySet<string> = new Set(['all', 'exists', 'exists_one', 'map', 'filter']);
/** Values whose size a service decides; inside a comprehension they would make its cost quadratic. */
const UNBOUNDED: ReadonlySet<string> = new Set(['body', 'json', 'headers']);

const environment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 400, maxDepth: 32, maxListElements: 100, maxMapEntries: 50, maxCallArguments: 8 },
});
for (const [name, type] of Object.entries(CONDITION_VARIABLES)) environment.registerVariable(name, type);
// CEL compares double with int by < but not by ==; people write `value == 1`.
environment.registerOperator('double == int', (a: number, b: bigint) => a === Number(b));

/**
 * Parses and type-checks a CEL condition; `< 200` alone means `value < 200`. Never throws.
 * Refused because a service's answer could hang the process: `matches()`, comprehensions inside or on top of others,
 * and in the body of a comprehension anything but its own variable, scalars and literals.
 */
export function compileCondition(text: string): CompileResult {
  if (text.trim() === '') return refuse('the condition is empty; write for example "status == 200"', null);
  if (text.length > MAX_LENGTH) {
    return refuse(`the condition has ${text.length} characters; at most ${MAX_LENGTH} are allowed`, null);
  }
  const prefix = BARE_COMPARISON.test(text) ? 'value ' : '';
  const column = (offset: number): number =>
    Math.min(Math.max(offset - prefix.length, 0), Math.max(text.length - 1, 0)) + 1;

  let program: ParseResult;
  try {
    program = environment.parse(prefix + text);
  } catch (error) {
    const { summary, offset } = describe(error);
    return refuse(summary, offset === null ? null : column(offset));
  }
  const danger = findDanger(program.ast);
  if (danger) return refuse(danger.message, column(danger.node.start));
  const checked = program.check();
  if (!checked.valid) {
    const { summary, offset } = describe(checked.error);
    return refuse(`${summary}${hint(summary)}`, offset === null ? null : column(offset));
  }
  if (checked.type !== 'bool' && checked.type !== 'dyn') {
    return refuse(`the condition gives ${checked.type ?? 'no value'}, not true or false`, 1);
  }
  return { ok: true, condition: { text: text.trim(), variables: usedVariables(program.ast), program } };
}

/** Evaluates against one probe. False and evaluation errors both fail the check; `error` says why. Never throws. */
export function evaluateCondition(
  condition: CompiledCondition,
  values: ConditionValues,
): { ok: boolean; error: string | null } {
  for (const name of condition.variables) {
    if (values[name] === undefined) {
      return { ok: false, error: `${condition.text}: ${name} is not known for this query` };
    }
  }
  const context = {
    ...values,
    ...(values.status === undefined ? {} : { status: BigInt(Math.trunc(values.status)) }),
  };
  let result: unknown;
  try {
    result = condition.program(context);
  } catch (error) {
    return {
      ok: false,
      error: `${condition.text}: ${describe(error).summary}${nullJson(condition, values)}`,
    };
  }
  if (result === true) return { ok: true, error: null };
  if (result === false) return { ok: false, error: `${condition.text} is false${seen(condition, values)}` };
  return { ok: false, error: `${condition.text} gives ${typeof result}, not true or false` };
}

function refuse(message: string, column: number | null): CompileResult {
  return { ok: false, message, column };
}

function describe(error: unknown): { summary: string; offset: number | null } {
  if (!(error instanceof Error)) return { summary: String(error), offset: null };
  const summary = 'summary' in error && typeof error.summary === 'string' ? error.summary : error.message;
  const range = 'range' in error ? error.range : undefined;
  const known =
    typeof range === 'object' && range !== null && 'start' in range && typeof range.start === 'number';
  return { summary, offset: known ? Number(range.start) : null };
}

function hint(summary: string): string {
  const unknown = /^Unknown variable: (.*)$/.exec(summary);
  return unknown ? `; known are ${Object.keys(CONDITION_VARIABLES).join(', ')}` : '';
}

interface Danger {
  readonly node: ASTNode;
  readonly message: string;
}

function findDanger(root: ASTNode): Danger | null {
  let danger: Danger | null = null;
  const visit = (node: ASTNode, inside: 'nothing' | 'receiver' | 'body'): void => {
    danger ??= judge(node, inside);
    if (danger) return;
    const parts = children(node);
    if (isComprehension(node) && parts[0]) {
      visit(parts[0], 'receiver');
      parts.slice(1).forEach((part) => visit(part, 'body'));
    } else {
      parts.forEach((part) => visit(part, inside));
    }
  };
  visit(root, 'nothing');
  return danger;
}

function judge(node: ASTNode, inside: 'nothing' | 'receiver' | 'body'): Danger | null {
  const name = node.op === 'rcall' || node.op === 'call' ? node.args[0] : null;
  if (name === 'matches') {
    return {
      node,
      message:
        'matches() is not allowed (a regular expression can hang the monitor); use contains(), startsWith() or endsWith()',
    };
  }
  if (name === 'bind') return { node, message: 'cel.bind() is not allowed; write the expression out' };
  if (inside === 'nothing') return null;
  if (isComprehension(node)) {
    return {
      node,
      message:
        'nested comprehensions are not allowed (they can hang the monitor); use one all(), exists(), map() or filter()',
    };
  }
  if (inside === 'receiver') return null;
  if (node.op === 'id' && UNBOUNDED.has(node.args)) {
    return {
      node,
      message: `${node.args} is not allowed inside a comprehension (its cost would be quadratic); use the comprehension's own variable`,
    };
  }
  return null;
}

function isComprehension(node: ASTNode): boolean {
  return node.op === 'rcall' && COMPREHENSIONS.has(node.args[0]);
}

/** Sub-expressions in source order; the receiver of a method call first. */
function children(node: ASTNode): ASTNode[] {
  const parts: ASTNode[] = [];
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(collect);
    else if (isNode(value)) parts.push(value);
  };
  collect(node.args);
  return parts;
}

function isNode(value: unknown): value is ASTNode {
  return typeof value === 'object' && value !== null && 'op' in value && 'args' in value;
}

function usedVariables(root: ASTNode): ReadonlySet<ConditionVariable> {
  const used = new Set<ConditionVariable>();
  const visit = (node: ASTNode): void => {
    if (node.op === 'id' && isVariable(node.args)) used.add(node.args);
    children(node).forEach(visit);
  };
  visit(root);
  return used;
}

function isVariable(name: string): name is ConditionVariable {
  return Object.hasOwn(CONDITION_VARIABLES, name);
}

function seen(condition: CompiledCondition, values: ConditionValues): string {
  const shown = [...condition.variables].flatMap((name) => {
    const value = values[name];
    return typeof value === 'number' || typeof value === 'boolean' ? [`${name} ${value}`] : [];
  });
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

function nullJson(condition: CompiledCondition, values: ConditionValues): string {
  return condition.variables.has('json') && values.json === null ? ' (the body is not JSON)' : '';
}
