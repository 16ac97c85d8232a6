import { parseListeningSockets, socketsAnswering } from '../../../src/domain/listening-sockets';

const HEAD =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode';
const row = (local: string, inode: number, state = '0A'): string =>
  `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 100 0 0 10 0`;
const table = (...rows: string[]) => parseListeningSockets([HEAD, ...rows, ''].join('\n'));

const LOOPBACK = '0100007F:1F41';
const ANY = '00000000:1F41';
const ANY6 = '00000000000000000000000000000000:1F41';
const LOOPBACK6 = '00000000000000000000000001000000:1F41';
const MAPPED = '0000000000000000FFFF00000100007F:1F41';

describe('parseListeningSockets', () => {
  it('keeps what listens, and nothing else', () => {
    expect(table(row(LOOPBACK, 7), row(LOOPBACK, 8, '01'), row(ANY6, 9), row(ANY, 0), 'rubbish')).toEqual([
      { host: '0100007F', port: 8001, inode: '7' },
      { host: '0'.repeat(32), port: 8001, inode: '9' },
    ]);
  });
});

describe('socketsAnswering', () => {
  it.each<[string, string, string[], string[]]>([
    ['the address itself', '127.0.0.1', [LOOPBACK], ['0']],
    ['any IPv4 address', '127.0.0.1', [ANY], ['0']],
    ['a dual-stack socket', '127.0.0.1', [ANY6], ['0']],
    ['a mapped address', '127.0.0.1', [MAPPED], ['0']],
    ['dialled as mapped', '::ffff:127.0.0.1', [LOOPBACK], ['0']],
    ['the more specific one', '127.0.0.1', [ANY6, ANY, LOOPBACK], ['2']],
    ['IPv4 before dual-stack', '127.0.0.1', [ANY6, ANY], ['1']],
    ['all that share it (SO_REUSEPORT)', '127.0.0.1', [LOOPBACK, LOOPBACK], ['0', '1']],
    ['IPv6 loopback', '::1', [LOOPBACK6, LOOPBACK], ['0']],
    ['any IPv6 address', '::1', [ANY6, ANY], ['0']],
    ['an IPv6 address with a zone', 'fe80::1:2%eth0', [ANY6], ['0']],
    ['IPv4 only does not answer IPv6', '::1', [ANY, LOOPBACK], []],
    ['another address of this machine', '127.0.0.2', [LOOPBACK], []],
    ['no address', 'example', [LOOPBACK, ANY, ANY6], []],
  ])('%s', (_name, ip, locals, expected) => {
    const sockets = table(...locals.map((local, index) => row(local, index + 1)));
    const found = socketsAnswering(sockets, { ip, port: 8001 });
    expect(found.map(({ inode }) => String(Number(inode) - 1))).toEqual(expected);
  });

  it('another port: nobody', () => {
    expect(socketsAnswering(table(row(LOOPBACK, 1)), { ip: '127.0.0.1', port: 8002 })).toEqual([]);
  });

  it('a full IPv6 address, in the order of the kernel', () => {
    const sockets = table(row('B80D0120000000000000000001000000:1F41', 1));
    expect(socketsAnswering(sockets, { ip: '2001:db8::1', port: 8001 })).toHaveLength(1);
    expect(socketsAnswering(sockets, { ip: '2001:db8::2', port: 8001 })).toEqual([]);
  });
});
