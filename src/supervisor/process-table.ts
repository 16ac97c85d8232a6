import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { RUN_MARK, SERVICE_MARK } from '../client/process-mark';
import type { ProcStat } from '../domain/proc-stat';
import { parseProcStat } from '../domain/proc-stat';

const HAS_PROC = existsSync('/proc/self/stat');

/** One letter as in proc(5) (`T` stopped by a signal, `Z` zombie); null when it cannot be known. */
export function processState(pid: number): string | null {
  return readStat(pid)?.state ?? null;
}

/** Whether a process group still has a member that is not a zombie (an orphan's zombie may never be reaped in a container). */
export function groupIsAlive(pgid: number): boolean {
  if (!sendSignal(-pgid, 0)) return false;
  if (!HAS_PROC) return true;
  return listPids().some((pid) => {
    const stat = readStat(pid);
    return stat?.group === pgid && stat.state !== 'Z';
  });
}

/** Live processes, other than this one, that carry the mark of a run, optionally of one service of it; empty without /proc. */
export function markedProcesses(runId: string, service?: string): readonly number[] {
  const wanted = [`\0${RUN_MARK}=${runId}\0`];
  if (service !== undefined) wanted.push(`\0${SERVICE_MARK}=${service}\0`);
  return listPids().filter((pid) => {
    if (pid === process.pid) return false;
    const environment = `\0${readProc(pid, 'environ') ?? ''}\0`;
    return wanted.every((mark) => environment.includes(mark));
  });
}

/** Sends a signal (0 only asks); false when nobody is there or it is not ours to signal. */
export function sendSignal(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

function listPids(): readonly number[] {
  if (!HAS_PROC) return [];
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? [Number(name)] : []));
}

function readStat(pid: number): ProcStat | null {
  const text = readProc(pid, 'stat');
  return text === null ? null : parseProcStat(text);
}

function readProc(pid: number, file: 'stat' | 'environ'): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return null;
  }
}
