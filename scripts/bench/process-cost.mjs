import { readFile } from 'node:fs/promises';
import { processesOf } from './processes.mjs';
import { pause } from './until.mjs';

const MS_PER_TICK = 10;

/** Processor share and resident memory of every process of the harness over `seconds`. */
export async function measureCost(harness, seconds) {
  const before = await snapshot(harness);
  const startedMs = performance.now();
  await pause(seconds * 1_000);
  const after = await snapshot(harness);
  const elapsedMs = performance.now() - startedMs;
  const processes = after.flatMap(({ pid, name, cpuMs, rssMiB }) => {
    const earlier = before.find((one) => one.pid === pid);
    return earlier ? [{ name, cpuPercent: ((cpuMs - earlier.cpuMs) / elapsedMs) * 100, rssMiB }] : [];
  });
  return { seconds, processes };
}

/** Sum over the processes of these names, or over all. A name that is not there would be a sum too small. */
export function total(processes, key, names = null) {
  const absent = names?.find((wanted) => !processes.some(({ name }) => name === wanted));
  if (absent !== undefined) throw new Error(`no process ${absent} was measured`);
  return processes
    .filter(({ name }) => names === null || names.includes(name))
    .reduce((sum, one) => sum + one[key], 0);
}

async function snapshot({ dir }) {
  const found = [];
  for (const { pid, command } of await processesOf(dir)) {
    const [stat, status] = await Promise.all(
      ['stat', 'status'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')),
    );
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuMs = (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    const rssMiB = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
    found.push({ pid, name: nameOf(command), cpuMs, rssMiB });
  }
  return found;
}

/** `node …/main.js monitor` → monitor; anything else by its program. */
function nameOf(command) {
  const [program, script, word] = command.split(' ');
  if (script?.endsWith('cli/main.js')) return word === 'run' ? 'supervisor' : word;
  if (script?.endsWith('.js')) return script.split('/').slice(-2).join('/');
  const file = program.split('/').at(-1);
  // Cached under its version.
  return file.startsWith('temporal') ? 'temporal' : file;
}
