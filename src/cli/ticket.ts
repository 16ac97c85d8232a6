import { stripInvisible } from '../domain/untrusted-text';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { ticketStory } from './ticket-story';
import { whoAmI } from './who-am-i';
import { parseAnswer, ticketDetailWire, undoWire } from './wire';

const pathOf = (id: string, action = ''): string => `/api/v1/tickets/${encodeURIComponent(id)}${action}`;

export async function ticketShow(
  context: CliContext,
  id: string,
  input: { json?: boolean },
): Promise<number> {
  const { body } = await context.web().request(pathOf(id));
  if (input.json) printJson(context, body);
  else context.out.write(ticketStory(parseAnswer(ticketDetailWire, body, pathOf(id)), context.colors));
  return EXIT.ok;
}

export async function ticketNote(context: CliContext, id: string, text: string): Promise<number> {
  await context.web().request(pathOf(id, '/notes'), { method: 'POST', body: { text, by: whoAmI() } });
  context.err.write(`noted on ticket ${id}\n`);
  return EXIT.ok;
}

export async function ticketCancel(
  context: CliContext,
  id: string,
  input: { readonly reason?: string },
): Promise<number> {
  return await close(context, id, 'cancel', input.reason ?? 'cancelled on the command line');
}

export async function ticketDismiss(
  context: CliContext,
  id: string,
  input: { readonly reason?: string },
): Promise<number> {
  return await close(context, id, 'dismiss', input.reason ?? 'dismissed on the command line');
}

export async function ticketRetry(context: CliContext, id: string): Promise<number> {
  const reason = 'asked on the command line';
  await context.web().request(pathOf(id, '/retry'), { method: 'POST', body: { reason, by: whoAmI() } });
  context.err.write(`the next attempt on ticket ${id} begins\n`);
  return EXIT.ok;
}

/** Longer than the web process waits for the agent. */
const UNDO_TIMEOUT_MS = 30_000;

/** Takes a ticket's file edits back. Exit 1 when something could not be put back, 75 when it is still to be done. */
export async function ticketUndo(
  context: CliContext,
  id: string,
  input: { readonly reason?: string; readonly json?: boolean },
): Promise<number> {
  const path = pathOf(id, '/undo');
  const { body } = await context.web().request(path, {
    method: 'POST',
    body: { reason: input.reason ?? '', by: whoAmI() },
    timeoutMs: UNDO_TIMEOUT_MS,
  });
  const { state, undone, as_found, left, detail } = parseAnswer(undoWire, body, path);
  const lines = [
    ...undone.map((file) => `put back: ${file}`),
    ...as_found.map((file) => `was as found already: ${file}`),
    ...left.map(({ path: file, reason }) => `not put back: ${file}: ${reason}`),
  ];
  if (input.json) printJson(context, body);
  else context.out.write(lines.map((line) => `${stripInvisible(line)}\n`).join(''));
  if (detail !== '') context.err.write(`${stripInvisible(detail)}\n`);
  if (state === 'waiting') return EXIT.timedOut;
  return left.length > 0 ? EXIT.failure : EXIT.ok;
}

async function close(
  context: CliContext,
  id: string,
  mode: 'cancel' | 'dismiss',
  reason: string,
): Promise<number> {
  await context.web().request(pathOf(id, `/${mode}`), { method: 'POST', body: { reason, by: whoAmI() } });
  const doing = { cancel: 'being cancelled', dismiss: 'being dismissed' }[mode];
  context.err.write(`ticket ${id} is ${doing}; \`harness ticket show ${id}\` tells when it is closed\n`);
  return EXIT.ok;
}
