import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ConfigError } from '../config/config';
import { WORKFLOWS } from '../workflows/contract';
import { findOnPath, runCommand } from './run-command';

const PATTERN = /^temporal-(\d+\.\d+\.\d+)\.db$/;

/** Database files are not portable between server versions, so each version has its own. */
export const databaseFile = (folder: string, serverVersion: string): string =>
  join(folder, `temporal-${serverVersion}.db`);

interface AbandonCheck {
  readonly folder: string;
  /** The file of the version that is about to start. */
  readonly file: string;
  readonly abandonOpenTickets: boolean;
  readonly searchPath: string;
  readonly say: (line: string) => void;
}

/**
 * The first start of a server version begins with an empty database. When a database of another version holds open
 * tickets, or it cannot be known, throws ConfigError unless they are given up.
 */
export async function refuseToAbandonTickets(check: AbandonCheck): Promise<void> {
  if (await exists(check.file)) return;
  for (const name of await readdir(check.folder)) {
    const version = PATTERN.exec(name)?.[1];
    if (version === undefined) continue;
    const old = join(check.folder, name);
    const finding = await openTickets(old, check.searchPath);
    const problem = describe(finding);
    if (problem === null) continue;
    if (!check.abandonOpenTickets) {
      throw new ConfigError(
        `${old} ${problem}; it belongs to Temporal server ${version} and ${check.file} would start empty. ` +
          `Go on with the old version (TEMPORAL_CLI_PATH=<a Temporal CLI with server ${version}>) until they are ` +
          'closed, or give them up with "harness run --abandon-open-tickets".',
      );
    }
    check.say(`Temporal: giving up ${old} as asked, which ${problem}`);
  }
}

type Finding =
  | { readonly kind: 'open'; readonly tickets: readonly string[] }
  | { readonly kind: 'unknown'; readonly reason: string };

function describe(finding: Finding): string | null {
  switch (finding.kind) {
    case 'open':
      if (finding.tickets.length === 0) return null;
      return `holds ${String(finding.tickets.length)} open ticket(s): ${finding.tickets.slice(0, 5).join(', ')}`;
    case 'unknown':
      return `may hold open tickets (${finding.reason})`;
  }
}

// Status 1 is Running. Opened for writing (of the shared index only) because the file may be in WAL mode.
const SCRIPT = `
import json, pathlib, sqlite3, sys
db = sqlite3.connect(pathlib.Path(sys.argv[1]).as_uri() + "?mode=rw", uri=True, timeout=5)
rows = db.execute("select distinct workflow_id from executions_visibility where status = 1 and workflow_type_name = ?", [sys.argv[2]])
print(json.dumps([row[0] for row in rows]))
`;

async function openTickets(file: string, searchPath: string): Promise<Finding> {
  const python = await findOnPath('python3', searchPath);
  if (python === null) return { kind: 'unknown', reason: 'it cannot be read without python3' };
  const result = await runCommand(python, ['-c', SCRIPT, file, WORKFLOWS.remediateTicket], {
    timeoutMs: 15_000,
  });
  if (result.failure !== null) {
    const reason = result.stderr.trim().split('\n').at(-1) ?? '';
    return { kind: 'unknown', reason: `reading it ${result.failure}: ${reason}` };
  }
  return { kind: 'open', tickets: z.array(z.string()).parse(JSON.parse(result.stdout)) };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
