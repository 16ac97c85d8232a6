import type { HarnessConfig } from '../../../src/config/config';
import { planOwnProcesses } from '../../../src/supervisor/own-processes';
import { BRAIN_CONFIG } from '../../support/brain-config';
import { makeService } from '../../support/tool-deps';

const config = (address: string | null, file: string | null = null): HarnessConfig => ({
  file,
  dataDir: '/data',
  web: { host: '127.0.0.1', port: 0 },
  temporal: { address, namespace: 'ours', embeddedPort: 0, cliPath: null },
  restartOwn: false,
  services: [],
  invariants: [],
  monitor: { intervalMs: 5_000, concurrency: 4, cooldownMs: 600_000 },
  ...BRAIN_CONFIG,
  logLevel: 'warn',
  packageRoot: '/package',
});

const environment = {
  PATH: '/bin',
  HOME: '/home/p',
  LANG: undefined,
  AWS_SECRET_ACCESS_KEY: 'nobody gets this',
  ANTHROPIC_API_KEY: 'model key',
  LOKI_TOKEN: 'log key',
  TEMPORAL_API_KEY: 'server key',
  TEMPORAL_ADDRESS: 'elsewhere:1',
  TEMPORAL_CLI_PATH: '/opt/temporal',
};

function plan(one: HarnessConfig, more: Record<string, string> = {}) {
  const own = planOwnProcesses({
    config: one,
    environment: { ...environment, ...more },
    temporalAddress: '127.0.0.1:7233',
    webPort: 8000,
    monitorPort: 9000,
    token: 'run token',
  });
  return Object.fromEntries(own.map((process) => [process.name, process]));
}

const shared = {
  PATH: '/bin',
  HOME: '/home/p',
  HARNESS_DATA_DIR: '/data',
  HARNESS_WEB_PORT: '8000',
  HARNESS_LOG_LEVEL: 'warn',
  TEMPORAL_ADDRESS: '127.0.0.1:7233',
  TEMPORAL_NAMESPACE: 'ours',
};

it('with our own Temporal: exactly what each process needs and nothing else', () => {
  const { monitor, agent, web } = plan(config(null));
  const worker = { ...shared, ANTHROPIC_API_KEY: 'model key', LOKI_TOKEN: 'log key' };
  expect(monitor?.env).toEqual({ ...worker, HARNESS_MONITOR_PORT: '9000' });
  expect(agent?.env).toEqual(worker);
  expect(web?.env).toEqual({ ...shared, HARNESS_TOKEN: 'run token' });
});

it('what a service gets from the environment goes to those who must mask it, and to nobody else', () => {
  const services = [makeService('/srv', { env: { DSN: 'postgres://${env:PG_LOGIN}@db' } })];
  const { monitor, agent, web } = plan({ ...config(null), services }, { PG_LOGIN: 'shop:opensesame' });
  expect([monitor, agent, web].map((process) => process?.env['PG_LOGIN'])).toEqual([
    'shop:opensesame',
    'shop:opensesame',
    undefined,
  ]);
});

it('with a Temporal of the person: its key is passed on, the path of a CLI is not', () => {
  const { web } = plan(config('127.0.0.1:7233', '/etc/harness.yaml'));
  expect(web?.env).toEqual({
    ...shared,
    HARNESS_CONFIG: '/etc/harness.yaml',
    HARNESS_TOKEN: 'run token',
    TEMPORAL_API_KEY: 'server key',
  });
});

it('commands run the package with this node', () => {
  expect(plan(config(null))['agent']?.command).toEqual([
    process.execPath,
    '/package/dist/cli/main.js',
    'agent',
  ]);
});
