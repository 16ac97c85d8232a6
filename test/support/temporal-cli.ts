import { acquireTemporalCli, defaultCacheDir } from '../../src/supervisor/temporal-cli';

let found: Promise<string> | undefined;

/** Path of a Temporal CLI, through the same acquisition as the product; the first call may download it. */
export function temporalExecutable(): Promise<string> {
  found ??= acquireTemporalCli({
    cliPath: process.env['TEMPORAL_CLI_PATH'] ?? null,
    searchPath: process.env['PATH'] ?? '',
    cacheDir: defaultCacheDir(process.env['XDG_CACHE_HOME']),
    say: () => undefined,
  }).then((cli) => cli.path);
  return found;
}
