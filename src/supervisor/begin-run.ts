import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { paths } from '../config/paths';
import { socketIsAlive } from './control-server';
import { markedProcesses, sendSignal } from './process-table';

/** Another supervisor serves this data directory. */
export class AlreadyRunning extends Error {
  override readonly name = 'AlreadyRunning';
}

const SWEEP_LIMIT_MS = 5_000;

/**
 * The identity of a new run. First ends whatever a crashed run of this data directory has left behind.
 * Rejects with AlreadyRunning when its supervisor lives.
 */
export async function beginRun(dataDir: string): Promise<{ runId: string; leftoversKilled: number }> {
  const socket = paths.controlSocket(dataDir);
  if (await socketIsAlive(socket)) {
    throw new AlreadyRunning(
      `A harness already runs with the data directory ${dataDir} (it answers on ${socket}). Stop it, or use another data directory.`,
    );
  }
  const file = join(paths.run(dataDir), 'run-id');
  const previous = readRunId(file);
  const leftoversKilled = previous === null ? 0 : await sweepStaleRun(previous);
  const runId = randomUUID();
  mkdirSync(paths.run(dataDir), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${runId}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return { runId, leftoversKilled };
}

/** Kills all processes that carry the mark of a run and waits until they are gone, 5 s at most; their number. Needs /proc. */
async function sweepStaleRun(previousRunId: string): Promise<number> {
  const killed = new Set<number>();
  const deadline = performance.now() + SWEEP_LIMIT_MS;
  for (;;) {
    const pids = markedProcesses(previousRunId);
    for (const pid of pids) {
      killed.add(pid);
      sendSignal(pid, 'SIGKILL');
    }
    if (pids.length === 0 || performance.now() > deadline) return killed.size;
    await delay(20);
  }
}

function readRunId(file: string): string | null {
  try {
    const text = readFileSync(file, 'utf8').trim();
    // Anything else as a mark could match processes that are not ours.
    return /^[0-9a-f-]{36}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}
