import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where everything under `data_dir` lives; the only place that knows. */
export const paths = {
  run: (dataDir: string) => join(dataDir, 'run'),
  endpoints: (dataDir: string) => join(dataDir, 'run', 'endpoints.json'),
  token: (dataDir: string) => join(dataDir, 'run', 'token'),
  temporal: (dataDir: string) => join(dataDir, 'temporal'),
  logs: (dataDir: string) => join(dataDir, 'logs'),
  serviceLog: (dataDir: string, service: string) => join(dataDir, 'logs', `${service}.ndjson`),
  archive: (dataDir: string) => join(dataDir, 'archive'),
  /** Earlier runs of tickets that took more than one. */
  segments: (dataDir: string) => join(dataDir, 'archive', 'segments'),
  audit: (dataDir: string) => join(dataDir, 'audit.ndjson'),
  /** Snapshots of editable files with which the service worked. */
  knownGood: (dataDir: string, service: string) => join(dataDir, 'known-good', service),
  /** Journal and undo copies of what tickets changed in the service's files. */
  edits: (dataDir: string, service: string) => join(dataDir, 'edits', service),
  /** What calls of models cost. */
  spend: (dataDir: string) => join(dataDir, 'spend'),
  /** Full output of the agent's commands. */
  outputs: (dataDir: string) => join(dataDir, 'outputs'),
  controlSocket(dataDir: string): string {
    const path = join(dataDir, 'run', 'control.sock');
    // sun_path holds 107 bytes; a deep data directory gets a short name of its own instead.
    if (Buffer.byteLength(path) <= 100) return path;
    const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
    return join(tmpdir(), `harness-${name}.sock`);
  },
} as const;
