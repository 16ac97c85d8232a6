import type { Colors } from 'picocolors/types';
import type { CliContext } from './context';
import { printJson } from './context';
import { CliError, EXIT } from './exit-codes';
import { stateCell } from './paint';
import type { Cell } from './table';
import { table } from './table';
import { age } from './time';
import type { InvariantWire } from './wire';
import { invariantWire, listOf, parseAnswer } from './wire';

const LIST = '/api/v1/invariants';
const pathOf = (id: string): string => `${LIST}/${encodeURIComponent(id)}`;

/** Fields of an invariant as options; the API fills in the rest and has the last word on all of them. */
export interface InvariantOptions {
  readonly name?: string;
  readonly description?: string;
  readonly query?: string;
  readonly condition?: string;
  readonly service?: string;
  readonly priority?: string;
  readonly timeout?: string;
  readonly enabled?: string;
  readonly json?: boolean;
}

export async function invariantsList(context: CliContext, input: { json?: boolean }): Promise<number> {
  const { body } = await context.web().request(LIST);
  if (input.json) {
    printJson(context, body);
    return EXIT.ok;
  }
  const { items } = parseAnswer(listOf(invariantWire), body, LIST);
  if (items.length === 0) context.err.write('no invariants; add one with `harness invariants add <id>`\n');
  else context.out.write(invariantTable(context, items));
  return EXIT.ok;
}

export async function invariantsAdd(
  context: CliContext,
  id: string,
  options: InvariantOptions,
): Promise<number> {
  const body = { id, ...fieldsOf(options) };
  const answer = await context.web().request(LIST, { method: 'POST', body });
  return saved(context, `invariant ${id} is watched from the next sweep on`, answer.body, options);
}

export async function invariantsSet(
  context: CliContext,
  id: string,
  options: InvariantOptions,
): Promise<number> {
  const body = fieldsOf(options);
  if (Object.keys(body).length === 0) {
    throw new CliError('nothing to set; name at least one field, for example --enabled false', EXIT.usage);
  }
  const answer = await context.web().request(pathOf(id), { method: 'PATCH', body });
  return saved(context, `invariant ${id} is changed from the next sweep on`, answer.body, options);
}

export async function invariantsRemove(
  context: CliContext,
  id: string,
  { purge = false }: { readonly purge?: boolean },
): Promise<number> {
  const query = { purge: purge ? 'true' : undefined };
  await context.web().request(pathOf(id), { method: 'DELETE', query });
  const done = purge ? 'removed' : `disabled; \`harness invariants set ${id} --enabled true\` takes it back`;
  context.err.write(`invariant ${id} is ${done}\n`);
  return EXIT.ok;
}

export function invariantTable({ colors, now }: CliContext, items: readonly InvariantWire[]): string {
  const rows = items.map((invariant) => [
    invariant.id,
    stateOf(invariant, colors),
    age(invariant.since, now()),
    invariant.service ?? '-',
    invariant.priority,
    invariant.source,
    invariant.open_ticket_id ?? '-',
    `${invariant.query}  ${invariant.condition}`,
  ]);
  return table(['ID', 'STATE', 'SINCE', 'SERVICE', 'PRIORITY', 'SOURCE', 'TICKET', 'RULE'], rows, colors);
}

function stateOf({ enabled, state, flapping, paused_until }: InvariantWire, colors: Colors): Cell {
  if (!enabled) return { text: 'disabled', paint: colors.dim };
  if (flapping && state !== 'paused') return { text: `${state}, flapping`, paint: colors.yellow };
  if (state !== 'paused' || paused_until === null) return stateCell(state, colors);
  return { text: `paused until ${paused_until}`, paint: colors.yellow };
}

function saved(context: CliContext, message: string, body: unknown, { json }: InvariantOptions): number {
  if (json) printJson(context, body);
  context.err.write(`${message}\n`);
  return EXIT.ok;
}

function fieldsOf({ enabled, ...options }: InvariantOptions): Record<string, unknown> {
  const set = Object.fromEntries(
    Object.entries(options).filter(([name, value]) => name !== 'json' && value !== undefined),
  );
  return enabled === undefined ? set : { ...set, enabled: enabled === 'true' };
}
