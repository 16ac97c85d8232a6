import { readFile } from 'node:fs/promises';

/** What the kernel says about a process. */
export interface ProcessFacts {
  /** Linux state letter: R running, S and D sleeping, T stopped by a signal, Z zombie. */
  readonly state: string;
  readonly threads: number;
  readonly rssBytes: number;
  readonly ageMs: number;
  /** Processor time used so far. */
  readonly cpuMs: number;
}

/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** Null when there is no such process, or no /proc (other systems). */
export async function readProcessFacts(pid: number): Promise<ProcessFacts | null> {
  try {
    const [stat, status, uptime] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/status`, 'utf8'),
      readFile('/proc/uptime', 'utf8'),
    ]);
    // The name stands in parentheses and may contain anything; proc(5) counts the fields after it from 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number): number => Number(fields[number - 3]);
    const rssKiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return {
      state: fields[0] ?? '?',
      threads: field(20),
      rssBytes: rssKiB * 1024,
      ageMs: Math.max(0, Math.round(Number(uptime.split(' ')[0]) * 1_000 - field(22) * MS_PER_TICK)),
      cpuMs: (field(14) + field(15)) * MS_PER_TICK,
    };
  } catch {
    return null;
  }
}
