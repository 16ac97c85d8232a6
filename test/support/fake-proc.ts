import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface FakeProcess {
  readonly pid: number;
  readonly parent?: number;
  readonly group?: number;
  readonly session?: number;
  readonly inodes?: readonly number[];
  readonly command?: readonly string[];
  /** Null: not ours to read. */
  readonly environment?: Readonly<Record<string, string>> | null;
  /** Its descriptors are not ours to read. */
  readonly isForeign?: boolean;
}

/** Writes a tree that looks like /proc; `listeners` are `[local address in the kernel's spelling, inode]`. */
export function writeFakeProc(
  root: string,
  listeners: readonly (readonly [string, number])[],
  processes: readonly FakeProcess[],
): void {
  mkdirSync(join(root, 'net'), { recursive: true });
  const row = ([local, inode]: readonly [string, number]) =>
    ` 0: ${local} 0:0 0A 0:0 0:0 0 1000 0 ${inode} 1 0 100 0 0 10 0`;
  for (const [file, length] of [
    ['tcp', 8],
    ['tcp6', 32],
  ] as const) {
    const rows = listeners.filter(([local]) => local.indexOf(':') === length).map(row);
    writeFileSync(join(root, 'net', file), ['  sl  local_address', ...rows, ''].join('\n'));
  }
  writeFileSync(join(root, 'stat'), 'cpu 1 2 3\nbtime 1700000000\n');
  for (const one of processes) writeProcess(root, one);
}

function writeProcess(root: string, one: FakeProcess): void {
  const { pid, parent = 1, group = pid, session = pid } = one;
  const dir = join(root, String(pid));
  mkdirSync(join(dir, 'fd'), { recursive: true });
  const stat = [pid, '(a (odd) name)', 'S', parent, group, session, ...new Array<number>(15).fill(0), 250, 0];
  writeFileSync(join(dir, 'stat'), stat.join(' '));
  writeFileSync(join(dir, 'cmdline'), `${(one.command ?? ['prog', String(pid)]).join('\0')}\0`);
  if (one.environment !== null) {
    const entries = Object.entries({ PATH: '/bin', ...one.environment });
    writeFileSync(join(dir, 'environ'), entries.map(([name, value]) => `${name}=${value}\0`).join(''));
  }
  symlinkSync('/dev/null', join(dir, 'fd', '0'));
  if (one.isForeign) return;
  (one.inodes ?? []).forEach((inode, index) => {
    symlinkSync(`socket:[${inode}]`, join(dir, 'fd', String(index + 3)));
  });
}
