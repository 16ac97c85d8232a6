import { readFile, readdir } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { errorCode } from '../client/error-code';
import { paths } from '../config/paths';
import { sendSignal } from './process-table';
import { runCommand } from './run-command';

interface ProcessLine {
  readonly pid: number;
  readonly arguments: readonly string[];
}

const TERM_MS = 5_000;

/**
 * Ends Temporal servers that a crashed run of this data directory left behind; returns their pids. The caller holds
 * the lock of the directory: any other server on its database files is stale. The command line is the proof, because
 * a recorded pid may belong to somebody else by now. Throws when one cannot be ended.
 */
export async function endStaleTemporal(
  dataDir: string,
  say: (line: string) => void,
): Promise<readonly number[]> {
  const folder = resolve(paths.temporal(dataDir)) + sep;
  const stale = (await listProcesses()).filter((line) => servesFrom(line, folder));
  for (const { pid } of stale) {
    say(`Temporal: ending a server that an earlier run left behind (pid ${String(pid)})`);
    await end(pid);
  }
  return stale.map(({ pid }) => pid);
}

function servesFrom(line: ProcessLine, folder: string): boolean {
  const at = line.arguments.indexOf('--db-filename');
  return line.arguments.includes('start-dev') && at > 0 && (line.arguments[at + 1] ?? '').startsWith(folder);
}

async function end(pid: number): Promise<void> {
  sendSignal(pid, 'SIGTERM');
  sendSignal(pid, 'SIGCONT');
  if (await goneWithin(pid, TERM_MS)) return;
  sendSignal(pid, 'SIGKILL');
  if (await goneWithin(pid, TERM_MS)) return;
  throw new Error(
    `a Temporal server of an earlier run (pid ${String(pid)}) still uses this data directory and cannot be ended; end it by hand`,
  );
}

async function goneWithin(pid: number, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (await isAlive(pid)) {
    if (performance.now() > deadline) return false;
    await delay(50);
  }
  return true;
}

/** A zombie (its parent has not reaped it) holds neither port nor file. */
async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => '');
  return !/\) Z /.test(stat);
}

async function listProcesses(): Promise<readonly ProcessLine[]> {
  const pids = await readdir('/proc').catch(() => null);
  if (pids === null) return psProcesses();
  const lines = await Promise.all(
    pids
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
        return { pid: Number(pid), arguments: text.split('\0') };
      }),
  );
  return lines.filter(({ pid }) => pid !== process.pid);
}

/** Systems without /proc; a data directory with spaces in its path is not recognised there. */
async function psProcesses(): Promise<readonly ProcessLine[]> {
  const { stdout } = await runCommand('ps', ['-axww', '-o', 'pid=,command='], { timeoutMs: 5_000 });
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, ...rest]) => ({ pid: Number(pid), arguments: rest }));
}
