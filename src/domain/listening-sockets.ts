/** The far end of a connection: what was dialled, after names were resolved. */
export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** One row in state LISTEN of /proc/net/tcp or tcp6; `host` as the kernel prints it, little-endian words. */
export interface ListeningSocket {
  readonly host: string;
  readonly port: number;
  readonly inode: string;
}

const LISTEN = '0A';
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;
const ANY_IPV4 = '0'.repeat(8);
const ANY_IPV6 = '0'.repeat(32);
const MAPPED_PREFIX = '0000000000000000FFFF0000';

/** Listening sockets of /proc/net/tcp or tcp6; rows it cannot read are left out. */
export function parseListeningSockets(text: string): ListeningSocket[] {
  return text.split('\n').flatMap((row) => {
    const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
    if (state !== LISTEN || local === undefined || inode === undefined || inode === '0') return [];
    const [host, port] = local.split(':');
    if (host === undefined || port === undefined) return [];
    return [{ host, port: Number.parseInt(port, 16), inode }];
  });
}

/**
 * The sockets among which the kernel chooses for a connection to this address: those bound to it, else those bound to any
 * address of its family, else (IPv4 only) dual-stack ones. More than one is SO_REUSEPORT.
 */
export function socketsAnswering(
  sockets: readonly ListeningSocket[],
  { ip, port }: SocketAddress,
): readonly ListeningSocket[] {
  const onPort = sockets.filter((socket) => socket.port === port);
  for (const hosts of candidates(ip)) {
    const found = onPort.filter(({ host }) => hosts.includes(host));
    if (found.length > 0) return found;
  }
  return [];
}

/** Spellings of the bound address, most specific first; none for a text that is no address. */
function candidates(ip: string): readonly (readonly string[])[] {
  const bytes = IPV4.test(ip) ? ip.split('.').map(Number) : ipv6Bytes(ip);
  if (!bytes) return [];
  const host = littleEndian(bytes);
  if (bytes.length === 16 && !host.startsWith(MAPPED_PREFIX)) return [[host], [ANY_IPV6]];
  const ipv4 = host.slice(-8);
  return [[ipv4, MAPPED_PREFIX + ipv4], [ANY_IPV4], [ANY_IPV6]];
}

/** The kernel prints words in its own order; on a big-endian one only "any" matches, and the rest is not known. */
function littleEndian(bytes: readonly number[]): string {
  let text = '';
  for (let word = 0; word < bytes.length; word += 4) {
    const part = bytes.slice(word, word + 4).reverse();
    text += part.map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }
  return text.toUpperCase();
}

function ipv6Bytes(ip: string): readonly number[] | null {
  const url = `http://[${ip.replace(/%.*$/, '')}]`;
  if (!URL.canParse(url)) return null;
  // A URL writes every IPv6 address as groups of hexadecimal digits.
  const [head = '', tail = ''] = new URL(url).hostname.slice(1, -1).split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const before = groups(head);
  const after = groups(tail);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]);
}
