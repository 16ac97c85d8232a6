import { refuseProbeAddress } from '../../../src/domain/probe-policy';

const OWN = [8000, 7233];

it.each<[string, string, number]>([
  ['cloud metadata', '169.254.169.254', 80],
  ['cloud metadata as IPv4 in IPv6', '::ffff:169.254.169.254', 80],
  ['cloud metadata on IPv6', 'fd00:ec2::254', 80],
  ['link-local IPv6', '[fe80::1]', 80],
  ['the web port', '127.0.0.1', 8000],
  ['the web port by another loopback address', '127.9.9.9', 8000],
  ['the Temporal port on IPv6', '[::1]', 7233],
  ['the web port by the unspecified address', '0.0.0.0', 8000],
])('%s: refused with a reason', (_name, address, port) => {
  expect(refuseProbeAddress(address, port, OWN)).toMatch(/metadata|harness itself/);
});

it.each<[string, string, number]>([
  ['another port of this machine', '127.0.0.1', 3000],
  ['the same port of another machine', '192.0.2.7', 8000],
  ['an ordinary IPv6 address', '2001:db8::1', 7233],
])('%s: allowed', (_name, address, port) => {
  expect(refuseProbeAddress(address, port, OWN)).toBeNull();
});
