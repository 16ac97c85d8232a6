import type { ListeningSocket, SocketAddress } from '../domain/listening-sockets';
import { socketsAnswering } from '../domain/listening-sockets';
import type { PortOwner } from '../domain/port-owner';
import type { ProcStat } from '../domain/proc-stat';
import { ProcReader } from './proc-reader';
import type { Mark } from './proc-reader';

/** A service of the supervisor; `pid` is null while it has no process. */
export interface SupervisedService {
  readonly name: string;
  readonly pid: number | null;
}

export interface PortOwnersOptions {
  /** The run whose mark the services carry; null when it is not known. */
  readonly runId: string | null;
  /** Another place than /proc, for tests. */
  readonly root?: string;
}

/** Only what is well is said from a table older than this. */
const STALE_MS = 250;
const FORWARDER = /(^|\/)(docker-proxy|rootlessport|rootlesskit|slirp4netns|pasta|passt|conmon|gvproxy)( |$)/;

interface Found {
  readonly pid: number;
  readonly ours: boolean;
}

interface Tables {
  readonly atMs: number;
  readonly sockets: readonly ListeningSocket[];
  readonly known: Map<string, PortOwner | null>;
  processes: ReadonlyMap<number, ProcStat> | null;
}

/**
 * One look at who listens on this machine. The tables of /proc are read at the first question and kept for the rest of the
 * look, since a sweep asks once per invariant; only for a stranger, or nobody, they are read again.
 */
export class PortOwners {
  private readonly proc: ProcReader;
  private tables: Tables | null = null;

  constructor(private readonly options: PortOwnersOptions) {
    this.proc = new ProcReader(options.root ?? '/proc');
  }

  /**
   * Who answers at an address of this machine. With SO_REUSEPORT one that is not ours counts: the kernel may give it any
   * connection. Null: nobody listens, or who does cannot be known (no /proc, no permission, a container's forwarder).
   */
  find(address: SocketAddress, service: SupervisedService): PortOwner | null {
    const tables = (this.tables ??= this.readTables());
    const owner = this.ask(tables, address, service);
    if (owner?.ours || performance.now() - tables.atMs < STALE_MS) return owner;
    this.tables = this.readTables();
    return this.ask(this.tables, address, service);
  }

  private readTables(): Tables {
    const sockets = this.proc.listeningSockets();
    return { atMs: performance.now(), sockets, known: new Map(), processes: null };
  }

  private ask(tables: Tables, address: SocketAddress, service: SupervisedService): PortOwner | null {
    const key = `${address.ip} ${address.port} ${service.name} ${service.pid ?? ''}`;
    const known = tables.known.get(key);
    if (known !== undefined) return known;
    const inodes = new Set(socketsAnswering(tables.sockets, address).map(({ inode }) => inode));
    const found = inodes.size === 0 ? null : this.search(tables, inodes, service);
    const owner = found && { ...this.proc.describe(found.pid), port: address.port, ours: found.ours };
    // A container's forwarder listens for somebody who cannot be seen from here.
    const judged = owner && !owner.ours && FORWARDER.test(owner.command) ? null : owner;
    tables.known.set(key, judged);
    return judged;
  }

  private search(tables: Tables, inodes: Set<string>, service: SupervisedService): Found | null {
    let first: number | null = null;
    const claim = (pid: number): void => {
      if (inodes.size === 0) return;
      const held = this.proc.socketsHeldBy(pid, inodes);
      if (held.size > 0) first ??= pid;
      for (const inode of held) inodes.delete(inode);
    };
    // Nearly always it is the service's own process, and nobody else need be looked at.
    if (service.pid !== null) claim(service.pid);
    if (inodes.size > 0) {
      const processes = (tables.processes ??= this.proc.processes());
      const family = familyOf(service.pid, processes);
      for (const pid of family) claim(pid);
      // Of several holders of one socket it is enough that one is ours: it was inherited or handed over.
      const others = [...processes.keys()].filter((pid) => !family.has(pid) && this.holdsAny(pid, inodes));
      const marks = new Map(others.map((pid) => [pid, this.markOf(pid, service)]));
      for (const pid of others) if (marks.get(pid) === 'service') claim(pid);
      const stranger = others.find((pid) => this.holdsAny(pid, inodes) && marks.get(pid) !== 'unknown');
      if (stranger !== undefined) return { pid: stranger, ours: false };
    }
    return first === null || inodes.size > 0 ? null : { pid: first, ours: true };
  }

  private holdsAny(pid: number, inodes: ReadonlySet<string>): boolean {
    return inodes.size > 0 && this.proc.socketsHeldBy(pid, inodes).size > 0;
  }

  private markOf(pid: number, service: SupervisedService): Mark {
    return this.proc.markOf(pid, service.name, this.options.runId);
  }
}

/** Descendants of a process, and everything in its group or session; the supervisor makes it the leader of both. */
function familyOf(pid: number | null, processes: ReadonlyMap<number, ProcStat>): ReadonlySet<number> {
  const family = new Set<number>();
  if (pid === null) return family;
  for (let before = -1; family.size !== before;) {
    before = family.size;
    for (const [member, { parent, group, session }] of processes) {
      if (member === pid || parent === pid || group === pid || session === pid || family.has(parent))
        family.add(member);
    }
  }
  return family;
}
