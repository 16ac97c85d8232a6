import { existsSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { errorText } from './error-text';
import { builtinConfig, findPackageRoot } from './builtin';
import type { HarnessConfig } from './config';
import { ConfigError } from './config';
import { effectiveConfig } from './effective';
import type { Environment } from './environment';
import type { ConfigFile } from './file-schema';
import { fileSchema } from './file-schema';
import type { ConfigFlags } from './overrides';
import { readOverrides } from './overrides';
import { toProblems } from './problems';
import { findReferenceProblems } from './references';
import type { YamlSource } from './yaml-source';
import { parseYaml, withoutPositions } from './yaml-source';

export interface LoadConfigInput {
  /** What `--config` says; wins over HARNESS_CONFIG. */
  readonly file?: string;
  readonly flags?: ConfigFlags;
  readonly env: Environment;
  readonly cwd?: string;
}

const DEFAULT_FILE = 'harness.yaml';
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

/**
 * The effective configuration: flag > environment > file > built-in demo. Deep frozen. Throws one ConfigError that
 * lists everything that is wrong, a line each, with file, line and column.
 */
export function loadConfig({ file, flags = {}, env, cwd = process.cwd() }: LoadConfigInput): HarnessConfig {
  const packageRoot = findPackageRoot();
  const { overrides, problems } = readOverrides(flags, env);
  const path = findFile(file, env, cwd);
  const source =
    path === null ? withoutPositions(builtinConfig({ packageRoot })) : parseYaml(read(path, cwd));
  const name = path === null ? 'built-in configuration' : shownName(path, cwd);
  const parsed = parseSource(source, name);
  problems.unshift(...parsed.problems);

  const host = parsed.file?.web.host ?? '127.0.0.1';
  if (!LOOPBACK.test(host) && overrides.token === undefined) {
    const where = source.locate({ path: ['web', 'host'], at: 'value' });
    problems.push(
      `${name}:${where}: web.host "${host}" is reachable from other machines and needs a token; set HARNESS_TOKEN, or use 127.0.0.1`,
    );
  }
  if (problems.length > 0 || parsed.file === null) throw new ConfigError(problems.join('\n'));
  const base = path === null ? packageRoot : dirname(path);
  return effectiveConfig(parsed.file, overrides, { file: path, base, cwd, packageRoot });
}

function parseSource(source: YamlSource, name: string): { file: ConfigFile | null; problems: string[] } {
  const problems = source.errors.map((error) => `${name}:${error}`);
  if (source.value === undefined) return { file: null, problems };
  const parsed = fileSchema.safeParse(source.value);
  const found = [
    ...(parsed.success ? [] : toProblems(parsed.error.issues, source.value)),
    ...findReferenceProblems(source.value),
  ];
  problems.push(...found.map((problem) => `${name}:${source.locate(problem)}: ${problem.message}`));
  return { file: parsed.success ? parsed.data : null, problems: problems.sort(byPosition) };
}

/** In the order of the file, so that a person can go through it once. */
function byPosition(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function findFile(flag: string | undefined, env: Environment, cwd: string): string | null {
  const named = flag ?? env['HARNESS_CONFIG'];
  if (named !== undefined && named !== '') return resolve(cwd, named);
  const usual = resolve(cwd, DEFAULT_FILE);
  return existsSync(usual) ? usual : null;
}

function read(path: string, cwd: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = errorText(error);
    throw new ConfigError(
      `${shownName(path, cwd)}: cannot be read (${message}); name an existing file with --config or HARNESS_CONFIG`,
    );
  }
}

function shownName(path: string, cwd: string): string {
  const short = relative(cwd, path);
  return short.startsWith('..') ? path : short;
}
