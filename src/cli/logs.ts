import { stripInvisible } from '../domain/untrusted-text';
import type { StoredLine } from '../client/log-reader';
import { readLogTail } from '../client/log-reader';
import type { CliContext } from './context';
import { CliError, EXIT } from './exit-codes';

export interface LogsInput {
  readonly limit?: string;
  readonly json?: boolean;
}

/** The harness's own processes have logs beside those of the services. */
const OWN = ['monitor', 'agent', 'web', 'temporal'];
const MAX_LINES = 100_000;

/** Stored log lines of one service, or of all of them in the order of time; needs no running harness. */
export async function logs(context: CliContext, name: string | undefined, input: LogsInput): Promise<number> {
  const { dataDir, services } = context.config();
  const known = [...services.map((service) => service.name), ...OWN];
  if (name !== undefined && !known.includes(name)) {
    throw new CliError(`there are no logs of "${name}"; there are: ${known.join(', ')}`, EXIT.notFound);
  }
  const limit = Number(input.limit ?? '100');
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LINES) {
    throw new CliError(`--limit ${input.limit}: expected a whole number from 1 to ${MAX_LINES}`, EXIT.usage);
  }
  const names = name === undefined ? services.map((service) => service.name) : [name];
  const tails = await Promise.all(
    names.map(async (service) => {
      const { lines } = await readLogTail(dataDir, service, { limit });
      return lines.map((line) => ({ service, ...line }));
    }),
  );
  const lines = tails
    .flat()
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .slice(-limit);
  if (lines.length === 0) context.err.write(`no log lines yet below ${dataDir}\n`);
  for (const line of lines) {
    context.out.write(input.json ? `${JSON.stringify(line)}\n` : human(context, line));
  }
  return EXIT.ok;
}

function human({ colors }: CliContext, line: StoredLine & { readonly service: string }): string {
  const source = `${line.service}${line.stream === 'stdout' ? '' : ` ${line.stream}`}`;
  return `${colors.dim(line.at)} ${colors.cyan(source)} ${stripInvisible(line.line)}\n`;
}
