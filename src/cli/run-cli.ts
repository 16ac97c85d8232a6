import { CommanderError } from 'commander';
import { readEnvironment } from '../config/environment';
import { errorText } from '../config/error-text';
import { paths } from '../config/paths';
import { lazy } from './commands';
import type { CliContext, GlobalFlags, Streams } from './context';
import { colorsFor } from './context';
import { EXIT, exitCodeOf, isBug } from './exit-codes';
import { createProgram } from './program';

/** Parses the words after `harness`, runs the command, and resolves with the exit code. Never rejects. */
export async function runCli(
  words: readonly string[],
  streams: Streams,
  contextOf: (flags: GlobalFlags, streams: Streams) => CliContext = createContext,
): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = createProgram({
    streams,
    contextOf: (flags) => contextOf(flags, streams),
    finish: (code) => (exitCode = code),
  });
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has already written its message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const level = readEnvironment()['HARNESS_LOG_LEVEL'];
    const wantsStack = isBug(error) || level === 'debug' || level === 'trace';
    streams.err.write(`harness: ${(wantsStack && stackOf(error)) || errorText(error)}\n`);
    return exitCodeOf(error);
  }
}

function createContext(flags: GlobalFlags, streams: Streams): CliContext {
  const env = readEnvironment();
  let loaded: ReturnType<CliContext['config']> | undefined;
  const config = () => (loaded ??= lazy.loadConfig().loadConfig({ env, ...configInput(flags) }));
  return {
    ...streams,
    env,
    colors: colorsFor(env, streams.out.isTTY === true),
    now: Date.now,
    config,
    web: () => lazy.webClient().webClientFor(config()),
    control: () => lazy.controlClient().createControlClient(paths.controlSocket(config().dataDir)),
  };
}

function configInput({ config, dataDir, port, logLevel }: GlobalFlags) {
  return {
    ...(config === undefined ? {} : { file: config }),
    flags: {
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(port === undefined ? {} : { webPort: port }),
      ...(logLevel === undefined ? {} : { logLevel }),
    },
  };
}

function stackOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'stack' in error ? String(error.stack) : '';
}
