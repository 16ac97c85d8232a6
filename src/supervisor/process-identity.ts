import { readFile } from 'node:fs/promises';
import { runCommand } from './run-command';

/**
 * A text that no later process with the same pid will have (boot and start time); null when no such process lives.
 */
export async function processIdentity(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => null);
  if (stat !== null) {
    // The command name may contain spaces and parentheses; the fields start after the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
    return fields[0] === 'Z' ? null : `${boot.trim()} ${fields[19] ?? ''}`;
  }
  // Not in /proc although there is one: it has ended. No /proc at all: ask ps.
  if ((await readFile('/proc/self/stat').catch(() => null)) !== null) return null;
  const { stdout } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)], { timeoutMs: 5_000 });
  return stdout.trim() === '' ? null : stdout.trim();
}
