import { z } from 'zod';
import type { CliContext } from './context';
import { printJson } from './context';
import { EXIT } from './exit-codes';
import { whoAmI } from './who-am-i';
import { listOf, parseAnswer } from './wire';

const pauseWire = z.object({
  kind: z.string(),
  name: z.string().nullable(),
  by: z.string(),
  until: z.string().nullable(),
});

interface PauseInput {
  readonly for?: string;
  readonly json?: boolean;
}

/** Stops watching an invariant, a service, or everything. */
export async function pause(
  context: CliContext,
  target: string | undefined,
  input: PauseInput,
): Promise<number> {
  return await send(context, '/api/v1/pause', { target, for: input.for, by: whoAmI() }, input);
}

/** Watches again; without a target every pause is lifted. */
export async function resume(
  context: CliContext,
  target: string | undefined,
  input: PauseInput,
): Promise<number> {
  return await send(context, '/api/v1/resume', { target, by: whoAmI() }, input);
}

async function send(
  context: CliContext,
  path: string,
  body: Readonly<Record<string, string | undefined>>,
  { json }: PauseInput,
): Promise<number> {
  const answer = await context.web().request(path, { method: 'POST', body });
  if (json) printJson(context, answer.body);
  const { items } = parseAnswer(listOf(pauseWire), answer.body, path);
  const lines = items.map(({ kind, name, by, until }) => {
    const what = name === null ? 'everything' : `${kind} ${name}`;
    return `${what} is paused by ${by} ${until === null ? 'until it is resumed' : `until ${until}`}\n`;
  });
  context.err.write(lines.join('') || 'nothing is paused\n');
  return EXIT.ok;
}
