import { stripInvisible } from '../domain/untrusted-text';
import { errorCode } from '../client/error-code';
import { LogFollower } from '../client/log-follower';
import type { StoredLine } from '../client/log-reader';
import { readLogTail } from '../client/log-reader';
import type { CliContext } from './context';
import { CliError, EXIT } from './exit-codes';

export interface LogsInput {
  readonly limit?: string;
  readonly json?: boolean;
  readonly follow?: boolean;
}

type ServiceLine = StoredLine & { readonly service: string };

/** The harness's own processes have logs beside those of the services. */
const OWN = ['monitor', 'agent', 'web', 'temporal'];
const MAX_LINES = 100_000;

/** Stored log lines of one service, or of all of them in the order of time, and with `follow` those to come; needs no running harness. */
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
  const print = (line: ServiceLine): void => {
    context.out.write(input.json ? `${JSON.stringify(line)}\n` : human(context, line));
  };
  if (input.follow) return await untilSignal((signal) => follow(context, { names, limit, print }, signal));
  const tails = names.map(async (service) => {
    const { lines } = await readLogTail(dataDir, service, { limit });
    return lines.map((line) => ({ service, ...line }));
  });
  const lines = lastLines(await Promise.all(tails), limit);
  if (lines.length === 0) context.err.write(`no log lines yet below ${dataDir}\n`);
  for (const line of lines) print(line);
  return EXIT.ok;
}

/** The last lines in the order of time, then new ones as they come, until the signal aborts. */
async function follow(
  context: CliContext,
  what: {
    readonly names: readonly string[];
    readonly limit: number;
    readonly print: (line: ServiceLine) => void;
  },
  signal: AbortSignal,
): Promise<void> {
  const { dataDir } = context.config();
  const { names, limit, print } = what;
  const logs = await Promise.all(
    names.map(async (service) => ({ service, log: await LogFollower.open(dataDir, service) })),
  );
  try {
    const tails = logs.map(async ({ service, log }) =>
      (await log.tail(limit)).map((line) => ({ service, ...line })),
    );
    const lines = lastLines(await Promise.all(tails), limit);
    if (lines.length === 0) context.err.write(`no log lines yet below ${dataDir}; waiting for the first\n`);
    for (const line of lines) print(line);
    await Promise.all(
      logs.map(async ({ service, log }) => {
        for await (const line of log.follow(signal)) print({ service, ...line });
      }),
    );
  } finally {
    await Promise.all(logs.map(({ log }) => log.close()));
  }
}

/** Ends the work in order on the first signal, whose code it gives back, or when nobody reads on (`| head`), which is no failure. */
async function untilSignal(work: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const stop = new AbortController();
  let code: number = EXIT.ok;
  const end = (signalCode: number) => (): void => {
    code = signalCode;
    stop.abort();
  };
  const onInt = end(130);
  const onTerm = end(143);
  const onBroken = (error: Error): void => end(errorCode(error) === 'EPIPE' ? EXIT.ok : EXIT.failure)();
  process.stdout.on('error', onBroken);
  process.on('SIGINT', onInt).on('SIGTERM', onTerm);
  try {
    await work(stop.signal);
    return code;
  } finally {
    process.stdout.off('error', onBroken);
    process.off('SIGINT', onInt).off('SIGTERM', onTerm);
  }
}

function lastLines(tails: readonly (readonly ServiceLine[])[], limit: number): readonly ServiceLine[] {
  return tails
    .flat()
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
    .slice(-limit);
}

function human({ colors }: CliContext, line: ServiceLine): string {
  const source = `${line.service}${line.stream === 'stdout' ? '' : ` ${line.stream}`}`;
  return `${colors.dim(line.at)} ${colors.cyan(source)} ${stripInvisible(line.line)}\n`;
}
