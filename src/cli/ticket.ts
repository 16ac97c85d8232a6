import { userInfo } from 'node:os';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { ticketStory } from './ticket-story';
import { parseAnswer, ticketDetailWire } from './wire';

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
  const reason = input.reason ?? 'cancelled on the command line';
  await context.web().request(pathOf(id, '/cancel'), { method: 'POST', body: { reason, by: whoAmI() } });
  context.err.write(
    `ticket ${id} is being cancelled; \`harness ticket show ${id}\` tells when it is closed\n`,
  );
  return EXIT.ok;
}

/** A claim, not a proof; the API stores it beside how the caller was authenticated. */
function whoAmI(): string {
  try {
    return userInfo().username;
  } catch {
    return 'person';
  }
}
