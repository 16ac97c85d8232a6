import { realpathSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import type { ServiceConfig } from '../../config/config';
import { matchesGlob, splitGlob } from '../../domain/glob';
import { ToolProblem } from './tool-result';

interface Root {
  /** As configured. */
  readonly path: string;
  /** Where it really was when the agent started. */
  readonly real: string;
  /** Glob below the root. */
  readonly glob: string;
}

/** The files of one service that its tickets may read. */
export interface Confinement {
  readonly cwd: string;
  readonly roots: readonly Root[];
}

export interface ConfinedPath {
  readonly real: string;
  /** Relative to the service's directory where it is below it. */
  readonly display: string;
}

/** Never readable, whatever the configuration says: keys, secrets, and the token that commands the harness. */
const DENIED_SEGMENT =
  /^(?:\.env.*|.*\.(?:pem|key|p12|pfx)|\.git|\.ssh|\.aws|\.netrc|\.npmrc|\.pgpass|id_(?:rsa|dsa|ecdsa|ed25519).*)$/i;
const DENIED_TAIL = /(?:^|\/)run\/token$/i;

/**
 * The roots are resolved here, when the agent starts: a service that later replaces its own directory by a symbolic link
 * to somewhere else gains nothing.
 */
export function createConfinement(service: Pick<ServiceConfig, 'cwd' | 'files'>): Confinement {
  const globs = [...new Set([...service.files.read, ...service.files.edit])];
  const roots = globs.map((pattern) => {
    const { root, rest } = splitGlob(pattern);
    return { path: root, real: realpathOfNearest(root), glob: rest };
  });
  return { cwd: service.cwd, roots };
}

/** Checks a path as written, then as it really is. Throws ToolProblem naming what is allowed. */
export async function confinePath(confinement: Confinement, path: string): Promise<ConfinedPath> {
  const lexical = resolveInput(confinement, path);
  if (isDeniedPath(lexical)) throw new ToolProblem(`${show(path)} is never readable: it may hold a secret.`);
  if (!isListed(confinement, lexical)) throw outside(confinement, path);
  const real = await realpath(lexical).catch((error: NodeJS.ErrnoException) => {
    throw new ToolProblem(
      `${show(path)} cannot be read (${error.code ?? error.message}). See list_files for what there is.`,
    );
  });
  if (!isReadableReal(confinement, real)) throw outside(confinement, path);
  return { real, display: displayPath(confinement, lexical) };
}

/** Whether a path as written, or as it really is, is one of the configured ones. */
export function isListed(confinement: Confinement, path: string): boolean {
  return confinement.roots.some(
    (root) => matchesBelow(root.path, root.glob, path) || matchesBelow(root.real, root.glob, path),
  );
}

/** Whether a real path (no links left in it) may be read. */
export function isReadableReal(confinement: Confinement, real: string): boolean {
  return !isDeniedPath(real) && confinement.roots.some((root) => matchesBelow(root.real, root.glob, real));
}

/** Keys, secrets and tokens by their names; looks at every segment of the path. */
export function isDeniedPath(path: string): boolean {
  return DENIED_TAIL.test(path) || path.split('/').some((segment) => DENIED_SEGMENT.test(segment));
}

/** Absolute path of what the brain wrote; throws ToolProblem for text that is no path. */
export function resolveInput(confinement: Confinement, path: string): string {
  if (path.includes('\0')) throw new ToolProblem('The path contains a NUL character.');
  return resolve(confinement.cwd, path);
}

export function displayPath(confinement: Confinement, path: string): string {
  return isBelow(confinement.cwd, path) ? relative(confinement.cwd, path) : path;
}

/** Whether `path` is strictly below `root`: `root-evil` and `..` are not. */
export function isBelow(root: string, path: string): boolean {
  const rest = relative(root, path);
  return rest !== '' && rest !== '..' && !rest.startsWith(`..${sep}`) && !isAbsolute(rest);
}

function matchesBelow(root: string, glob: string, path: string): boolean {
  return isBelow(root, path) && matchesGlob(relative(root, path), glob);
}

function realpathOfNearest(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realpathOfNearest(parent), basename(path));
  }
}

function outside(confinement: Confinement, path: string): ToolProblem {
  const allowed = confinement.roots.map((root) => displayPath(confinement, join(root.path, root.glob)));
  const list = allowed.length > 0 ? allowed.join(', ') : 'nothing (the service declares no files)';
  return new ToolProblem(`${show(path)} is outside of what this ticket may read. Readable: ${list}.`);
}

function show(path: string): string {
  return JSON.stringify(path.slice(0, 300));
}
