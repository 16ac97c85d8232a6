import { z } from 'zod';
import type { CheckResult } from './check';

/** All invariants of the service must have held for so long with the content in force. */
const HEALTHY_FOR_MS = 10_000;

const snapshotFile = z.object({
  path: z.string(),
  /** Null: there was no such file, which is as good a state as any other. */
  sha256: z.string().nullable(),
  content: z.string().nullable(),
  mode: z.number().nullable(),
});

const snapshot = z.object({
  version: z.literal(1),
  /** When it proved good, RFC 3339. */
  at: z.string(),
  /** `files.edit` as it was: under other patterns a missing entry says nothing. */
  patterns: z.array(z.string()),
  files: z.array(snapshotFile),
  /** Files that cannot be kept (too large, binary, links); nothing is said about them. */
  skipped: z.array(z.string()),
});

/** What a service's editable files were when it last worked with them. */
export type Snapshot = Readonly<z.infer<typeof snapshot>>;

/** Null when the text is no snapshot. */
export function parseSnapshot(data: unknown): Snapshot | null {
  return snapshot.safeParse(data).data ?? null;
}

/** One editable file now. */
export interface FileNow {
  readonly path: string;
  /** Null: there is none, or it cannot be kept. */
  readonly sha256: string | null;
  /** Too large, binary, or a link: can be neither kept nor restored. */
  readonly isSkipped: boolean;
}

export const CHANGES = ['modified', 'removed', 'added', 'unreadable'] as const;

/** How a file differs from the last good snapshot. */
export interface FileChange {
  readonly path: string;
  readonly change: (typeof CHANGES)[number];
  /** Of the content now; null when there is none. */
  readonly sha256: string | null;
}

/** What differs between the snapshot and now, by path. */
export function findChanges(good: Snapshot, now: readonly FileNow[]): FileChange[] {
  const before = new Map(good.files.map(({ path, sha256 }) => [path, sha256]));
  const current = new Map(now.map((file) => [file.path, file]));
  return [...new Set([...before.keys(), ...current.keys()])]
    .filter((path) => !good.skipped.includes(path))
    .sort()
    .flatMap((path): FileChange[] => {
      const was = before.get(path) ?? null;
      const file = current.get(path);
      const is = file?.sha256 ?? null;
      if (file?.isSkipped) return [{ path, change: 'unreadable', sha256: null }];
      if (was === is) return [];
      return [{ path, change: is === null ? 'removed' : was === null ? 'added' : 'modified', sha256: is }];
    });
}

/** One file's content and the latest moment at which it may have been written, in milliseconds since 1970. */
export interface WrittenFile {
  readonly sha256: string | null;
  readonly writtenAtMs: number;
}

/** The running process said that it works with this content. */
export interface Acknowledgement {
  readonly sha256: string;
  readonly atMs: number;
}

/**
 * Since when the process is known to work with this content: it started after the content was written, or acknowledged it
 * after. Null when neither is known: a file that was written while an old process runs proves nothing.
 */
export function inForceSince(
  file: WrittenFile,
  processStartedAtMs: number,
  acknowledgements: readonly Acknowledgement[],
): number | null {
  if (file.writtenAtMs < processStartedAtMs) return processStartedAtMs;
  const said = acknowledgements
    .filter(({ sha256, atMs }) => sha256 === file.sha256 && atMs >= file.writtenAtMs)
    .map(({ atMs }) => atMs);
  return said.length > 0 ? Math.min(...said) : null;
}

/** Whether these files, as they are, are known to be good: all in force, and every invariant held for 10 s since. */
export function isKnownGood(input: {
  readonly files: readonly WrittenFile[];
  readonly processStartedAtMs: number;
  readonly acknowledgements: readonly Acknowledgement[];
  /** The checks of each enabled invariant of the service, oldest first. */
  readonly checks: readonly (readonly CheckResult[])[];
}): boolean {
  const since = input.files.map((file) =>
    inForceSince(file, input.processStartedAtMs, input.acknowledgements),
  );
  if (since.includes(null) || input.checks.length === 0) return false;
  const from = Math.max(input.processStartedAtMs, ...since.filter((at) => at !== null));
  return input.checks.every((checks) => heldSince(checks, from));
}

function heldSince(checks: readonly CheckResult[], fromMs: number): boolean {
  const times = checks.map((check) => ({ ok: check.ok, atMs: Date.parse(check.at) }));
  const since = times.filter(({ atMs }) => atMs > fromMs);
  const [first] = since;
  const last = since.at(-1);
  return (
    first !== undefined &&
    last !== undefined &&
    since.every(({ ok }) => ok) &&
    last.atMs - first.atMs >= HEALTHY_FOR_MS
  );
}
