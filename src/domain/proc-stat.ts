/** Fields of /proc/<pid>/stat; times in clock ticks since boot. */
export interface ProcStat {
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  readonly startTicks: number;
}

/** Null for a text that is not one line of proc(5). */
export function parseProcStat(text: string): ProcStat | null {
  // The command name may contain spaces and parentheses; the fields start after the last one, and proc(5) counts them from 3.
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  const [state] = fields;
  if (end < 0 || state === undefined || state === '') return null;
  const field = (number: number): number => Number(fields[number - 3]);
  return { state, parent: field(4), group: field(5), session: field(6), startTicks: field(22) };
}
