import { readdir, readFile } from 'node:fs/promises';

/** Every process that carries this folder in its command line or environment, without ourselves. */
export async function processesOf(dir) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = [];
  for (const pid of pids) {
    try {
      const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ').trim();
      const all = command + (await readFile(`/proc/${pid}/environ`, 'utf8'));
      if (command !== '' && all.includes(dir)) found.push({ pid: Number(pid), command });
    } catch {
      // It ended meanwhile, or belongs to somebody else.
    }
  }
  return found;
}

export async function killProcessesOf(dir) {
  for (const { pid } of await processesOf(dir)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}
