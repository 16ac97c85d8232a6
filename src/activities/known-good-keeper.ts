import { errorText } from '../config/error-text';
import type { ServiceConfig } from '../config/config';
import type { CheckResult } from '../domain/check';
import type { Acknowledgement, Snapshot } from '../domain/known-good';
import { inForceSince, isKnownGood } from '../domain/known-good';
import type { Control, ServiceStatus } from '../domain/service-state';
import type { EditableFile } from './editable-files';
import { createEditConfinements, readEditableFiles } from './editable-files';
import { changesSince, keepSnapshot, readLastGood, toSnapshot } from './known-good-store';
import type { Confinement } from './tools/confined-path';

export interface KeeperDeps {
  readonly services: readonly ServiceConfig[];
  readonly dataDir: string;
  readonly control: Pick<Control, 'snapshot'>;
  /** The last checks of each enabled invariant of a service, oldest first. */
  readonly checksOf: (service: string) => Promise<readonly (readonly CheckResult[])[]>;
  /** The `config_hash` a service shows at this URL; null when it shows none. */
  readonly readConfigHash: (url: string) => Promise<string | null>;
  readonly now: () => Date;
  readonly log: { readonly info: (message: string) => void; readonly warn: (message: string) => void };
}

interface Watched {
  readonly config: ServiceConfig;
  readonly confinement: Confinement | undefined;
  /** When a file that was there was first seen to be gone. */
  readonly goneSince: Map<string, number>;
  readonly seen: Set<string>;
  life: string;
  acknowledgements: Acknowledgement[];
  problem: string | null;
}

/**
 * Keeps the content with which a service is known to work. Each call looks once; one that finds nothing new costs a few
 * system calls. Never throws: a snapshot that cannot be kept is said once and tried again.
 */
export function createKnownGoodKeeper(deps: KeeperDeps): (signal: AbortSignal) => Promise<void> {
  const confinements = createEditConfinements(deps.services);
  const watched: Watched[] = deps.services
    .filter(({ files }) => files.edit.length > 0)
    .map((config) => ({
      config,
      confinement: confinements.get(config.name),
      goneSince: new Map(),
      seen: new Set(),
      life: '',
      acknowledgements: [],
      problem: null,
    }));
  return async (signal) => {
    if (watched.length === 0) return;
    // Without the supervisor nobody knows which process runs.
    const snapshot = await deps.control.snapshot().catch(() => null);
    for (const one of watched) {
      const status = snapshot?.services.find(({ name }) => name === one.config.name) ?? null;
      const problem = await look(deps, one, status, signal).catch(errorText);
      if (signal.aborted) return;
      if (problem !== null && problem !== one.problem) {
        deps.log.warn(`no known-good copy of the files of ${one.config.name} is kept: ${problem}`);
      }
      one.problem = problem;
    }
  };
}

/** What keeps it from doing its work; null when nothing does. */
async function look(
  deps: KeeperDeps,
  watched: Watched,
  status: ServiceStatus | null,
  signal: AbortSignal,
): Promise<string | null> {
  const { config } = watched;
  const { name } = config;
  const present = await readEditableFiles(watched.confinement, signal);
  if (!present) return 'files.edit matches too many files';
  const good = await readLastGood(deps.dataDir, name, config.files.edit);
  const files = withGone(watched, present, good, deps.now().getTime());
  if (good && changesSince(good, files).length === 0) return null;
  if (!status || status.pid === null || status.startedAt === null) return null;

  const life = `${status.pid} ${status.startedAt}`;
  if (watched.life !== life) watched.acknowledgements = [];
  watched.life = life;
  const processStartedAtMs = Date.parse(status.startedAt);
  const kept = files.filter(({ isSkipped }) => !isSkipped);
  const isPending = (): boolean =>
    kept.some((file) => inForceSince(file, processStartedAtMs, watched.acknowledgements) === null);
  if (isPending() && config.ready.url !== null) {
    const said = await deps.readConfigHash(config.ready.url);
    const atMs = deps.now().getTime();
    if (said !== null)
      watched.acknowledgements = [...watched.acknowledgements, { sha256: said, atMs }].slice(-50);
  }
  if (isPending()) return null;
  const checks = await deps.checksOf(name);
  const { acknowledgements } = watched;
  if (!isKnownGood({ files: kept, processStartedAtMs, acknowledgements, checks })) return null;
  await keepSnapshot(deps.dataDir, name, toSnapshot(deps.now().toISOString(), config.files.edit, files));
  deps.log.info(`the files of ${name} are known to be good; a copy is kept`);
  return null;
}

/**
 * Adds the files that were there once and are gone: a pattern does not list them, and a process that has not started since
 * may still hold what they said.
 */
function withGone(
  watched: Watched,
  present: readonly EditableFile[],
  good: Snapshot | null,
  nowMs: number,
): EditableFile[] {
  const isListed = new Set(present.map(({ path }) => path));
  const known = good?.files.filter(({ sha256 }) => sha256 !== null).map(({ path }) => path) ?? [];
  const gone = new Set([...watched.seen, ...known].filter((path) => !isListed.has(path)));
  for (const { path, sha256, isSkipped } of present) {
    if (sha256 === null && !isSkipped) gone.add(path);
    else watched.goneSince.delete(path);
    if (sha256 !== null) watched.seen.add(path);
  }
  for (const path of gone) if (!watched.goneSince.has(path)) watched.goneSince.set(path, nowMs);
  const absent = (path: string): EditableFile => {
    const writtenAtMs = watched.goneSince.get(path) ?? nowMs;
    return { path, sha256: null, isSkipped: false, bytes: null, mode: null, writtenAtMs };
  };
  return [
    ...present.map((file) =>
      file.sha256 !== null || file.isSkipped
        ? file
        : { ...file, writtenAtMs: Math.min(file.writtenAtMs, absent(file.path).writtenAtMs) },
    ),
    ...[...gone].filter((path) => !isListed.has(path)).map(absent),
  ];
}
