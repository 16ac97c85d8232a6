import { compareVersions, parseTemporalVersion } from '../../../src/supervisor/temporal-version';
import { wheelFor } from '../../../src/supervisor/temporal-wheels';

it.each([
  ['temporal version 1.9.1 (Server 1.32.0, UI 2.54.1)', { cli: '1.9.1', server: '1.32.0' }],
  ['temporal version 1.0.0 (server 1.24.2) (ui 2.28.0)\n', { cli: '1.0.0', server: '1.24.2' }],
  [
    'warning: old config\ntemporal version v1.4.1-rc.1 (Server v1.28.0, UI 2.39.0)',
    { cli: '1.4.1', server: '1.28.0' },
  ],
  ['Temporal API 8.0', null],
  ['temporal version DEV', null],
  ['', null],
])('%j is read as %j', (text, version) => {
  expect(parseTemporalVersion(text)).toEqual(version);
});

it.each([
  ['1.3.9', '1.4.0', -1],
  ['1.4.0', '1.4.0', 0],
  ['1.10.0', '1.9.1', 1],
  ['2.0.0', '1.99.99', 1],
])('%s against %s: %i', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});

it.each([
  ['linux', 'x64', true],
  ['linux', 'arm64', true],
  ['darwin', 'x64', true],
  ['darwin', 'arm64', true],
  ['win32', 'x64', false],
  ['linux', 'riscv64', false],
])('%s %s has a wheel: %s', (platform, arch, hasOne) => {
  const wheel = wheelFor(platform, arch);
  expect(wheel !== null).toBe(hasOne);
  if (wheel !== null) expect(wheel.sha256).toMatch(/^[0-9a-f]{64}$/);
});
