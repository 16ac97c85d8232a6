import type { Colors } from 'picocolors/types';
import { stripInvisible } from '../domain/untrusted-text';
import { costText, turnText } from './cost';
import { stateCell } from './paint';
import { offset, shortDuration } from './time';
import type { TicketDetailWire } from './wire';

const MAX_DETAIL_LINES = 3;

/** A ticket as a story for people: what was wrong, what was known, what was done, how it ended. */
export function ticketStory(ticket: TicketDetailWire, colors: Colors): string {
  const start = ticket.detected_at ?? ticket.created_at ?? ticket.timeline[0]?.at ?? '';
  const parts = [
    header(ticket, colors),
    section('Possible causes', hypotheses(ticket), colors),
    section('Evidence', evidence(ticket, colors), colors),
    section('Timeline', timeline(ticket, start, colors), colors),
    section('Notes', notes(ticket, start), colors),
    section('Waits for a person', escalation(ticket), colors),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function header(ticket: TicketDetailWire, colors: Colors): string {
  const state = [ticket.status, ticket.resolution ?? ticket.phase ?? ticket.blocked_on]
    .filter((part) => part !== null)
    .join(' / ');
  const cell = stateCell(ticket.status, colors);
  const painted = typeof cell === 'string' ? state : cell.paint(state);
  const joined =
    ticket.joined_invariants.length === 0 ? '' : ` (with ${ticket.joined_invariants.join(', ')})`;
  const facts: [string, string | null][] = [
    ['invariant', ticket.invariant_id === null ? null : `${ticket.invariant_id}${joined}`],
    ['service', ticket.service],
    ['objective', ticket.objective],
    ['success', ticket.success_criteria],
    ['cause', ticket.suspected_cause],
    ['context', ticket.context],
    ['verdict', verdictText(ticket)],
    ['brain', brainText(ticket)],
    ['cost', costText(ticket)],
    ['detected', ticket.detected_at],
    ['closed', closedText(ticket)],
    ['undone', undoneText(ticket)],
    ['temporal', ticket.temporal_url],
  ];
  const lines = facts.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [`${colors.dim(name.padEnd(10))} ${indent(value, 11)}`],
  );
  return `${colors.bold(`Ticket ${ticket.id}`)}  ${painted}  ${ticket.priority}\n${lines.join('\n')}\n`;
}

function brainText({ brain, brains, attempt }: TicketDetailWire): string | null {
  if (brain === null) return null;
  const others = brains.filter((other) => other !== brain);
  const before = others.length === 0 ? '' : ` (before: ${others.join(', ')})`;
  return `${brain}, attempt ${attempt}${before}`;
}

function closedText({ closed_at, detected_at }: TicketDetailWire): string | null {
  if (closed_at === null) return null;
  if (detected_at === null) return closed_at;
  return `${closed_at} (${shortDuration(Date.parse(closed_at) - Date.parse(detected_at))} after detection)`;
}

function undoneText({ undone }: TicketDetailWire): string | null {
  if (undone === null) return null;
  const reason = undone.reason === '' ? '' : ` (${undone.reason})`;
  return [`${undone.at} by ${undone.by}${reason}; put back as found:`, ...undone.files].join('\n');
}

function verdictText({ verdict_by, confidence }: TicketDetailWire): string | null {
  if (verdict_by === null) return null;
  return `by ${verdict_by}${confidence === null ? '' : `, ${Math.round(confidence * 100)} % sure of the cause`}`;
}

function hypotheses(ticket: TicketDetailWire): string[] {
  return ticket.hypotheses.map(({ cause, evidence: ids }) => {
    const cited = ids.length === 0 ? '' : ` [${ids.join(', ')}]`;
    return indent(`${cause}${cited}`, 2);
  });
}

function evidence(ticket: TicketDetailWire, colors: Colors): string[] {
  return ticket.evidence.flatMap(({ id, title, text }) => [
    `${colors.cyan(id)} ${indent(title, 2)}`,
    ...(text === '' || text === title ? [] : [`  ${indent(text, 2)}`]),
  ]);
}

function timeline(ticket: TicketDetailWire, start: string, colors: Colors): string[] {
  return ticket.timeline.flatMap(({ at, kind, title, detail, ok }) => {
    const mark = ok === null ? ' ' : ok ? colors.green('✓') : colors.red('✗');
    // A turn is told when its answer is there, and at one time there is one answer.
    const turn = kind === 'proposed' ? ticket.turns.find(({ ended_at }) => ended_at === at) : undefined;
    const by = turn ? `  ${colors.dim(turnText(turn))}` : '';
    const line = `${colors.dim(offset(at, start))} ${mark} ${indent(title, 12)}${by}`;
    return detail === '' ? [line] : [line, `${' '.repeat(12)}${colors.dim(indent(clip(detail), 12))}`];
  });
}

function notes(ticket: TicketDetailWire, start: string): string[] {
  return ticket.notes.map(
    ({ at, by, text }) => `${offset(at, start)} ${indent(by, 12)}: ${indent(text, 12)}`,
  );
}

function escalation({ escalation: report }: TicketDetailWire): string[] {
  return report === null
    ? []
    : [report.reason, report.report].filter((text) => text !== '').map((text) => indent(text, 0));
}

function section(title: string, lines: readonly string[], colors: Colors): string {
  if (lines.length === 0) return '';
  return `${colors.bold(title)}\n${lines.map((line) => `  ${line.replaceAll(/\n(?=.)/g, '\n  ')}`).join('\n')}\n`;
}

/** The first lines say what came of it; `--json` has all of them. */
function clip(detail: string): string {
  const lines = detail.trimEnd().split('\n');
  const rest = lines.length - MAX_DETAIL_LINES;
  return rest <= 0 ? detail : [...lines.slice(0, MAX_DETAIL_LINES), `… ${rest} more lines`].join('\n');
}

/** Also the place where text of services and models loses what could drive the terminal. */
function indent(text: string, by: number): string {
  return stripInvisible(text)
    .trimEnd()
    .replaceAll(/\n(?=.)/g, `\n${' '.repeat(by)}`);
}
