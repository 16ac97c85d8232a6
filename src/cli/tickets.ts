import { stripInvisible } from '../domain/untrusted-text';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { stateCell } from './paint';
import { table } from './table';
import { age } from './time';
import type { TicketWire } from './wire';
import { listOf, parseAnswer, ticketWire } from './wire';

export interface TicketsInput {
  readonly status?: string;
  readonly invariant?: string;
  readonly limit?: string;
  readonly json?: boolean;
}

/** Lists tickets, newest first. */
export async function tickets(context: CliContext, input: TicketsInput): Promise<number> {
  const path = '/api/v1/tickets';
  const query = { status: input.status, invariant: input.invariant, limit: input.limit };
  const { body } = await context.web().request(path, { query });
  if (input.json) {
    printJson(context, body);
    return EXIT.ok;
  }
  const { items, next_cursor } = parseAnswer(listOf(ticketWire), body, path);
  if (items.length === 0) context.err.write('no tickets\n');
  else context.out.write(ticketTable(context, items));
  if (next_cursor !== null) context.err.write('there are older tickets; raise --limit to see them\n');
  return EXIT.ok;
}

export function ticketTable({ colors, now }: CliContext, items: readonly TicketWire[]): string {
  const rows = items.map((ticket) => [
    ticket.id,
    stateCell(ticket.status, colors),
    ticket.resolution ?? ticket.phase ?? ticket.blocked_on ?? '-',
    ticket.priority,
    ticket.brain ?? '-',
    ticket.invariant_id ?? '-',
    age(ticket.created_at, now()),
    oneLine(ticket.objective),
  ]);
  return table(
    ['ID', 'STATUS', 'DETAIL', 'PRIORITY', 'BRAIN', 'INVARIANT', 'AGE', 'OBJECTIVE'],
    rows,
    colors,
  );
}

function oneLine(text: string): string {
  const line = stripInvisible(text).replaceAll(/\s+/g, ' ').trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
