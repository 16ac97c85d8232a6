import { runCommand } from './run-command';

/** What `temporal --version` says: of the command line tool and of the server inside it. */
export interface TemporalVersion {
  readonly cli: string;
  readonly server: string;
}

export const PINNED_CLI = '1.9.1';
/** Older dev servers lack what the harness needs (updates, schedules with search attributes, SQLite pragmas). */
export const OLDEST_CLI = '1.4.0';

const PATTERN = /^temporal version v?(\d+\.\d+\.\d+)\S*\s+\(server v?(\d+\.\d+\.\d+)/im;

/** Reads `temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)`; null when it is another program's answer. */
export function parseTemporalVersion(text: string): TemporalVersion | null {
  const match = PATTERN.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return null;
  return { cli: match[1], server: match[2] };
}

/** Negative when `a` is older than `b`; both are dotted numbers. */
export function compareVersions(a: string, b: string): number {
  const right = b.split('.').map(Number);
  const difference = a
    .split('.')
    .map((part, index) => Number(part) - (right[index] ?? 0))
    .find((delta) => delta !== 0);
  return difference ?? 0;
}

/** Runs `<path> --version`; throws with the reason when it is no runnable Temporal CLI. */
export async function readTemporalVersion(path: string): Promise<TemporalVersion> {
  const result = await runCommand(path, ['--version'], { timeoutMs: 10_000 });
  if (result.failure !== null) throw new Error(`"${path} --version" ${result.failure}`);
  const version = parseTemporalVersion(result.stdout);
  if (version === null) {
    const answer = (result.stdout || result.stderr).trim().split('\n')[0] ?? '';
    throw new Error(`"${path} --version" is not the Temporal CLI: it answered ${JSON.stringify(answer)}`);
  }
  return version;
}
