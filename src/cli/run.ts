import { descriptorWriter, prefixedOutput } from '../supervisor/log-output';
import { runHarness } from '../supervisor/run-harness';
import type { CliContext } from './context';
import { colorsFor } from './context';
import { EXIT } from './exit-codes';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const LAST_GRACE_MS = 2_000;

export interface RunInput {
  /** False with `--no-service`. */
  readonly service: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly abandonOpenTickets?: boolean;
}

/** Everything in one go, until Ctrl-C. The ready line is data (stdout), what the children say is talk (stderr). */
export async function run(context: CliContext, input: RunInput): Promise<number> {
  const config = context.config();
  const talk = descriptorWriter(2);
  const unwatch = endOnSecondSignal();
  const { isColorSupported: color } = colorsFor(context.env, context.err.isTTY === true);
  try {
    return await runHarness(config, {
      service: input.service,
      quiet: input.quiet === true,
      json: input.json === true,
      abandonOpenTickets: input.abandonOpenTickets === true,
      environment: context.env,
      startedAt: performance.timeOrigin,
      streams: {
        lines: prefixedOutput((text) => talk.write(text), { color }),
        data: (text) => context.out.write(text),
      },
    });
  } finally {
    await talk.flush();
    unwatch();
  }
}

/** The second signal kills everything at once; whatever hangs even then (a dead network disk) goes with this process. */
function endOnSecondSignal(): () => void {
  let signals = 0;
  const onSignal = (): void => {
    signals += 1;
    if (signals === 2) setTimeout(() => process.exit(EXIT.failure), LAST_GRACE_MS).unref();
  };
  for (const name of STOP_SIGNALS) process.on(name, onSignal);
  return () => {
    for (const name of STOP_SIGNALS) process.off(name, onSignal);
  };
}
