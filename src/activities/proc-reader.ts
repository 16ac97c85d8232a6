import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_MARK, SERVICE_MARK } from '../client/process-mark';
import type { ListeningSocket } from '../domain/listening-sockets';
import { parseListeningSockets } from '../domain/listening-sockets';
import type { PortOwner } from '../domain/port-owner';
import type { ProcStat } from '../domain/proc-stat';
import { parseProcStat } from '../domain/proc-stat';
import { stripInvisible } from '../domain/untrusted-text';

const MAX_COMMAND = 160;
/** USER_HZ is 100 on every Linux that Node runs on. */
const MS_PER_TICK = 10;

/** `other`: another service or another run. `none`: no mark of ours. `unknown`: not ours to read. */
export type Mark = 'service' | 'other' | 'none' | 'unknown';

/** What /proc, or a tree that looks like it, says right now; what cannot be read is null or empty, never an error. */
export class ProcReader {
  constructor(private readonly root: string) {}

  listeningSockets(): readonly ListeningSocket[] {
    return ['net/tcp', 'net/tcp6'].flatMap((file) => parseListeningSockets(this.read(file) ?? ''));
  }

  /** Every process, oldest pid first. */
  processes(): ReadonlyMap<number, ProcStat> {
    const found = new Map<number, ProcStat>();
    for (const name of this.list('.')) {
      const stat = /^\d+$/.test(name) ? parseProcStat(this.read(join(name, 'stat')) ?? '') : null;
      if (stat) found.set(Number(name), stat);
    }
    return found;
  }

  /** Which of these sockets a process holds open. */
  socketsHeldBy(pid: number, inodes: ReadonlySet<string>): ReadonlySet<string> {
    const held = new Set<string>();
    for (const name of this.list(join(String(pid), 'fd'))) {
      const inode = /^socket:\[(\d+)\]$/.exec(this.link(join(String(pid), 'fd', name)) ?? '')?.[1];
      if (inode !== undefined && inodes.has(inode)) held.add(inode);
      if (held.size === inodes.size) break;
    }
    return held;
  }

  /** The mark in its environment, as the supervisor put it there. */
  markOf(pid: number, service: string, runId: string | null): Mark {
    const text = this.read(join(String(pid), 'environ'));
    if (text === null) return 'unknown';
    const environment = text.split('\0');
    if (!environment.some((entry) => entry.startsWith(`${SERVICE_MARK}=`))) return 'none';
    if (!environment.includes(`${SERVICE_MARK}=${service}`)) return 'other';
    if (runId === null) return 'unknown';
    return environment.includes(`${RUN_MARK}=${runId}`) ? 'service' : 'other';
  }

  describe(pid: number): Pick<PortOwner, 'pid' | 'command' | 'user' | 'startedAt'> {
    const own = String(pid);
    const args = this.read(join(own, 'cmdline'))?.split('\0').join(' ') ?? '';
    const command = stripInvisible(args).replace(/\s+/g, ' ').trim();
    const name = command === '' ? (this.read(join(own, 'comm'))?.trim() ?? '') : command;
    return {
      pid,
      command: name === '' ? 'unknown command' : name.slice(0, MAX_COMMAND),
      user: this.userOf(own),
      startedAt: this.startOf(own),
    };
  }

  private userOf(pid: string): string {
    try {
      const { uid } = statSync(join(this.root, pid));
      const row = readFileSync('/etc/passwd', 'utf8')
        .split('\n')
        .find((line) => line.split(':')[2] === String(uid));
      return row?.split(':')[0] ?? `uid ${uid}`;
    } catch {
      return 'unknown';
    }
  }

  private startOf(pid: string): string | null {
    const stat = parseProcStat(this.read(join(pid, 'stat')) ?? '');
    const bootS = /^btime (\d+)$/m.exec(this.read('stat') ?? '')?.[1];
    if (!stat || bootS === undefined) return null;
    return new Date(Number(bootS) * 1_000 + stat.startTicks * MS_PER_TICK).toISOString();
  }

  private read(path: string): string | null {
    try {
      return readFileSync(join(this.root, path), 'utf8');
    } catch {
      return null;
    }
  }

  private list(path: string): readonly string[] {
    try {
      return readdirSync(join(this.root, path));
    } catch {
      return [];
    }
  }

  private link(path: string): string | null {
    try {
      return readlinkSync(join(this.root, path));
    } catch {
      return null;
    }
  }
}
