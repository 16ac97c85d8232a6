import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './services.mjs';

/** Without these a figure says nothing. */
export async function machineFacts() {
  const require = createRequire(import.meta.url);
  const { acquireTemporalCli, defaultCacheDir } = require(join(ROOT, 'dist/supervisor/temporal-cli.js'));
  const cli = await acquireTemporalCli({
    cliPath: process.env.TEMPORAL_CLI_PATH ?? null,
    searchPath: process.env.PATH ?? '',
    cacheDir: defaultCacheDir(process.env.XDG_CACHE_HOME),
    say: () => undefined,
  });
  const { stdout } = await promisify(execFile)(cli.path, ['--version']);
  return {
    date: new Date().toISOString().slice(0, 10),
    cores: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${type()} ${release()}`,
    node: process.version,
    temporal: stdout.trim(),
    load: loadavg()
      .map((value) => value.toFixed(1))
      .join(' / '),
  };
}
