import type { HarnessConfig } from '../config/config';
import { ConfigError } from '../config/config';
import type { Environment } from '../config/environment';
import { removeEndpoints } from '../client/endpoints';
import { TemporalUnreachable } from '../client/temporal';
import { SearchAttributeError } from '../client/search-attributes';
import { requireBrains } from '../config/active-brain';
import { errorText } from '../config/error-text';
import { paths } from '../config/paths';
import { resolveSecrets } from '../config/secrets';
import { AlreadyRunning, beginRun } from './begin-run';
import { StartFailed } from './component';
import { startControlServer } from './control-server';
import { DataDirInUse, DataDirUnusable, lockDataDir } from './data-dir-lock';
import { isPortFree } from './free-port';
import { MissingExecutable } from './managed-process';
import { reportDeaths } from './report-deaths';
import type { RunOptions } from './run-options';
import { readyJson, readyLine } from './run-output';
import { removeRunToken } from './run-token';
import { startAll } from './start-all';
import { StopRequests } from './stop-requests';
import { Supervisor } from './supervisor';
import { TemporalCliMissing } from './temporal-cli';

/** The port of the web server is taken. Exit code 1. */
class WebPortInUse extends Error {
  override readonly name = 'WebPortInUse';
}

/**
 * Runs the whole harness until it is asked to stop; resolves with the exit code after everything it started has ended.
 * Expected failures are said on `streams.lines` and become a code; only a bug rejects.
 */
export async function runHarness(config: HarnessConfig, options: RunOptions): Promise<number> {
  const stop = new StopRequests(options.listenForStop);
  const say = (line: string) => options.streams.lines.show('harness', line);
  try {
    const lock = await lockDataDir(config.dataDir);
    try {
      return await runLocked(config, options, stop, say);
    } finally {
      await lock.release();
    }
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === null || !(error instanceof Error)) throw error;
    for (const line of error.message.split('\n')) say(line);
    return code;
  } finally {
    stop.dispose();
  }
}

async function runLocked(
  config: HarnessConfig,
  options: RunOptions,
  stop: StopRequests,
  say: (line: string) => void,
): Promise<number> {
  requireBrains(config);
  if (options.service) checkSecrets(config, options.environment);
  const { runId, leftoversKilled } = await beginRun(config.dataDir);
  if (leftoversKilled > 0)
    say(`ended ${String(leftoversKilled)} process(es) that an earlier run left behind`);
  await refuseTakenWebPort(config.web);
  const lines = options.streams.lines;
  let isStopping = false;
  const supervisor = new Supervisor({
    dataDir: config.dataDir,
    runId,
    services: config.services,
    output: {
      show: (name, line) => {
        if (options.quiet && name !== 'harness') return;
        // A stopping Temporal server complains at length about its own end; the stored log has it.
        if (name === 'temporal' && isStopping) return;
        lines.show(name, line);
      },
    },
    baseEnv: pick(options.environment, ['PATH', 'HOME', 'LANG']),
    resolveSecrets: (value) => resolveSecrets(value, options.environment),
  });
  try {
    const control = await startControlServer(paths.controlSocket(config.dataDir), supervisor);
    try {
      return await startAndServe(config, options, stop, supervisor, runId, say);
    } finally {
      isStopping = true;
      await stopEverything(supervisor, stop, say);
      // Last: the monitor would take a socket that goes away before it for a crash of the supervisor.
      await control.close();
    }
  } finally {
    supervisor.killAll();
    await Promise.all([removeEndpoints(config.dataDir), removeRunToken(config.dataDir)]);
  }
}

async function startAndServe(
  config: HarnessConfig,
  options: RunOptions,
  stop: StopRequests,
  supervisor: Supervisor,
  runId: string,
  say: (line: string) => void,
): Promise<number> {
  const starting = startAll({ config, options, supervisor, runId, say, signal: stop.signal });
  const outcome = await Promise.race([starting, stop.first]);
  if (typeof outcome === 'number') return outcome;
  const forget = reportDeaths(supervisor, config, say);
  const line = options.json ? readyJson(outcome) : readyLine(outcome);
  options.streams.data(`${line}\n`);
  try {
    return await stop.first;
  } finally {
    forget();
  }
}

async function stopEverything(
  supervisor: Supervisor,
  stop: StopRequests,
  say: (line: string) => void,
): Promise<void> {
  say(stop.signal.aborted ? 'stopping (once more to kill at once)' : 'stopping');
  const ended = await Promise.race([
    supervisor.stopAll().then(() => 'stopped' as const),
    stop.second.then(() => 'killed' as const),
  ]);
  if (ended === 'killed') supervisor.killAll();
  say(ended);
}

/** Before anything starts: a variable that a service needs and that is not set. Throws ConfigError. */
function checkSecrets({ services }: HarnessConfig, environment: Environment): void {
  for (const { name, env } of services) {
    for (const [key, value] of Object.entries(env)) {
      try {
        resolveSecrets(value, environment);
      } catch (error) {
        throw new ConfigError(`services.${name}.env.${key}: ${errorText(error)}`, { cause: error });
      }
    }
  }
}

async function refuseTakenWebPort({ host, port }: HarnessConfig['web']): Promise<void> {
  if (port === 0 || (await isPortFree(port, host))) return;
  throw new WebPortInUse(
    `port ${String(port)} on ${host} (web.port) is in use. Stop what listens there, or choose another one: ` +
      'HARNESS_WEB_PORT=<port>, or 0 for any free port.',
  );
}

/** Null for what nobody foresaw. */
function exitCodeOf(error: unknown): number | null {
  if (error instanceof ConfigError || error instanceof MissingExecutable) return 78;
  if (error instanceof SearchAttributeError || error instanceof DataDirUnusable) return 78;
  if (error instanceof TemporalUnreachable || error instanceof TemporalCliMissing) return 69;
  const failures = [DataDirInUse, AlreadyRunning, WebPortInUse, StartFailed];
  return failures.some((kind) => error instanceof kind) ? 1 : null;
}

function pick(environment: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
