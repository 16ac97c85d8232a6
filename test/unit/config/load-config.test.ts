import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HarnessConfig } from '../../../src/config/config';
import { ConfigError } from '../../../src/config/config';
import type { Environment } from '../../../src/config/environment';
import { loadConfig } from '../../../src/config/load-config';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'harness-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

function load(yaml: string, env: Environment = {}): HarnessConfig {
  writeFileSync(join(cwd, 'harness.yaml'), yaml);
  return loadConfig({ env, cwd });
}

function problemsOf(yaml: string, env: Environment = {}): string[] {
  try {
    load(yaml, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('the configuration was accepted');
}

const INVARIANT = `version: 1
services: { api: { command: [node, api.js] } }
invariants:
  - id: api_up
    query: http://127.0.0.1:1/health
    condition: status == 200
    service: api
`;

describe('a file is accepted', () => {
  test('every documented field with an effect reaches the configuration, durations in milliseconds', () => {
    const config = load(`version: 1
data_dir: ./state
web: { host: localhost, port: 9000 }
temporal: { address: "temporal.example:7233", namespace: ops }
run: { restart_own: true }
services:
  web_app:
    description: Web
    command: [./bin/app, --state, "\${data_dir}/app"]
    cwd: app
    env: { STATE: "\${data_dir}/x", PASSWORD: "\${env:APP_PASSWORD}" }
    ready: { url: "http://127.0.0.1:1/health", timeout: 12s }
    stop_timeout: 500ms
    restart_limit: { relapses: 3, within: 5m }
    metrics_url: http://127.0.0.1:1/metrics
    files: { read: ["src/**"], edit: ["\${data_dir}/a.json", /etc/app.conf] }
    depends_on: [database]
  database: {}
invariants:
  - id: app_up
    query: latency:http://127.0.0.1:1/health
    condition: "< 200"
    service: web_app
    request: { method: POST, headers: { X: "\${env:TOKEN}" }, body: "{}", follow_redirects: 2 }
    timeout: 1s
    confirm: { attempts: 2, spacing: 100ms }
    recover: { successes: 4, spacing: 1s }
    priority: critical
    suppressed_by: [db_up]
  - { id: db_up, name: Database, query: "tcp://127.0.0.1:5432", condition: connected, enabled: false }
monitor: { interval: 10s, concurrency: 8 }
analyst: { model: small, effort: max, open_by: 3s, force_open_after: 30s }
agent:
  brain: claude
  profile: plain
  model: qwen3
  effort: high
  retry_after: 2m
  budget: { turns: 5, usd: 2.5, tokens: 5000, wall_clock: 5m, usd_per_day: 20 }
`);
    const data = join(cwd, 'state');
    expect(config).toMatchObject({
      file: join(cwd, 'harness.yaml'),
      dataDir: data,
      web: { host: 'localhost', port: 9000 },
      temporal: { address: 'temporal.example:7233', namespace: 'ops', embeddedPort: 7233, cliPath: null },
      restartOwn: true,
      monitor: { intervalMs: 10_000, concurrency: 8 },
      analyst: { model: 'small', effort: 'max', openByMs: 3_000, forceOpenAfterMs: 30_000 },
      agent: {
        brain: 'claude',
        profile: 'plain',
        model: 'qwen3',
        effort: 'high',
        retryAfterMs: 120_000,
        budget: { turns: 5, usd: 2.5, tokens: 5_000, wallClockMs: 300_000, usdPerDay: 20 },
      },
      logLevel: 'info',
    });
    expect(config.services.map((service) => service.name)).toEqual(['database', 'web_app']);
    expect(config.services[0]).toMatchObject({ command: null, cwd, ready: { url: null, timeoutMs: 30_000 } });
    expect(config.services[1]).toEqual({
      name: 'web_app',
      description: 'Web',
      command: [join(cwd, 'bin/app'), '--state', join(data, 'app')],
      cwd: join(cwd, 'app'),
      env: { STATE: join(data, 'x'), PASSWORD: '${env:APP_PASSWORD}' },
      ready: { url: 'http://127.0.0.1:1/health', timeoutMs: 12_000 },
      stopTimeoutMs: 500,
      restartLimit: { relapses: 3, withinMs: 300_000 },
      metricsUrl: 'http://127.0.0.1:1/metrics',
      files: { read: [join(cwd, 'src/**')], edit: [join(data, 'a.json'), '/etc/app.conf'] },
      dependsOn: ['database'],
    });
    expect(config.invariants[0]).toEqual({
      id: 'app_up',
      name: 'app_up',
      description: '',
      query: 'latency:http://127.0.0.1:1/health',
      condition: '< 200',
      enabled: true,
      service: 'web_app',
      request: { method: 'POST', headers: { X: '${env:TOKEN}' }, body: '{}', followRedirects: 2 },
      timeoutMs: 1_000,
      confirm: { attempts: 2, spacingMs: 100 },
      recover: { successes: 4, spacingMs: 1_000 },
      priority: 'critical',
      suppressedBy: ['db_up'],
    });
    expect(config.invariants[1]).toMatchObject({ id: 'db_up', name: 'Database', enabled: false });
  });

  test('the result is frozen all the way down', () => {
    const config = load(INVARIANT);
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.services[0]?.env)).toBe(true);
    expect(Object.isFrozen(config.invariants[0]?.confirm)).toBe(true);
  });

  test('no file: the built-in demo, run by this very node, with its data below the current folder', () => {
    const config = loadConfig({ env: {}, cwd });
    const [service] = config.services;
    expect(config).toMatchObject({ file: null, dataDir: join(cwd, 'data'), web: { port: 8000 } });
    expect(service?.command).toEqual([process.execPath, join(config.packageRoot, 'dist/service/main.js')]);
    expect(service).toMatchObject({
      cwd: config.packageRoot,
      env: {
        RATE_LIMITER_PORT: '8001',
        RATE_LIMITER_CONFIG: join(cwd, 'data/services/rate_limiter/config.json'),
      },
      files: { read: [join(config.packageRoot, 'src/service/**')] },
    });
    expect(config.invariants[0]).toMatchObject({
      id: 'rate_limiter_healthy',
      condition: 'status == 200',
      priority: 'high',
      timeoutMs: 2_000,
      confirm: { attempts: 3, spacingMs: 250 },
    });
  });
});

describe('precedence', () => {
  const yaml = 'version: 1\ndata_dir: from-file\nweb: { port: 1111 }\ntemporal: { address: "file:1" }\n';

  test('the file wins over the default', () => {
    expect(load(yaml)).toMatchObject({ dataDir: join(cwd, 'from-file'), web: { port: 1111 } });
  });

  test('the environment wins over the file', () => {
    const env = {
      HARNESS_DATA_DIR: 'from-env',
      HARNESS_WEB_PORT: '0',
      HARNESS_TEMPORAL_PORT: '0',
      HARNESS_MONITOR_PORT: '4444',
      HARNESS_LOG_LEVEL: 'debug',
      TEMPORAL_ADDRESS: 'env:2',
      TEMPORAL_NAMESPACE: 'ns',
      TEMPORAL_API_KEY: 'key',
      TEMPORAL_CLI_PATH: '/opt/temporal',
    };
    expect(load(yaml, env)).toMatchObject({
      dataDir: join(cwd, 'from-env'),
      web: { port: 0 },
      monitor: { intervalMs: 5_000, port: 4444 },
      logLevel: 'debug',
      temporal: {
        address: 'env:2',
        namespace: 'ns',
        apiKey: 'key',
        tls: true,
        embeddedPort: 0,
        cliPath: '/opt/temporal',
      },
    });
  });

  test('a flag wins over the environment; an empty variable counts as unset', () => {
    writeFileSync(join(cwd, 'harness.yaml'), yaml);
    const config = loadConfig({
      cwd,
      flags: { dataDir: 'from-flag', webPort: '2222' },
      env: { HARNESS_DATA_DIR: 'from-env', HARNESS_WEB_PORT: '3333', TEMPORAL_ADDRESS: '' },
    });
    expect(config).toMatchObject({
      dataDir: join(cwd, 'from-flag'),
      web: { port: 2222 },
      temporal: { address: 'file:1' },
    });
  });

  test('--config wins over HARNESS_CONFIG, which wins over ./harness.yaml', () => {
    writeFileSync(join(cwd, 'harness.yaml'), 'version: 1\nweb: { port: 1 }\n');
    writeFileSync(join(cwd, 'env.yaml'), 'version: 1\nweb: { port: 2 }\n');
    writeFileSync(join(cwd, 'flag.yaml'), 'version: 1\nweb: { port: 3 }\n');
    const env = { HARNESS_CONFIG: 'env.yaml' };
    expect(loadConfig({ cwd, env: {} }).web.port).toBe(1);
    expect(loadConfig({ cwd, env }).web.port).toBe(2);
    expect(loadConfig({ cwd, env, file: 'flag.yaml' }).web.port).toBe(3);
  });
});

describe('a file is refused with the place, the value and the way out', () => {
  test.each([
    [
      'unknown key',
      'version: 1\nservices:\n  api:\n    foo: bar\n',
      'harness.yaml:4:5: unknown key "foo" (value "bar") in services.api; allowed: description, command,',
    ],
    [
      'key that comes later',
      'version: 1\ntelemetry: {}\n',
      'harness.yaml:2:1: unknown key "telemetry" (value {}); not supported yet, remove it; allowed: version,',
    ],
    [
      'nested key that comes later',
      'version: 1\nagent: { autonomy: auto }\n',
      'harness.yaml:2:10: unknown key "autonomy" (value "auto") in agent; not supported yet',
    ],
    ['missing version', 'web: { port: 1 }\n', 'harness.yaml:1:1: version: missing; expected 1'],
    ['empty file', '', 'harness.yaml:1:1: version: missing; expected 1'],
    [
      'wrong type',
      'version: 1\nweb:\n  port: "80"\n',
      'harness.yaml:3:9: web.port: expected a whole number from 0 to 65535, got "80"',
    ],
    [
      'section without content',
      'version: 1\nmonitor:\n',
      'harness.yaml:2:9: monitor: expected a mapping (key: value), got null',
    ],
    [
      'bad duration',
      'version: 1\nmonitor: { interval: 5 minutes }\n',
      'harness.yaml:2:22: monitor.interval: expected a duration from 1s to 1h, such as 500ms, 5s or 10m, got "5 minutes"',
    ],
    [
      'duration out of bounds',
      'version: 1\nmonitor: { interval: 10ms }\n',
      'harness.yaml:2:22: monitor.interval: expected a duration from 1s to 1h',
    ],
    [
      'no relapse allowed',
      'version: 1\nservices: { a: { restart_limit: { relapses: 0 } } }\n',
      'harness.yaml:2:45: services.a.restart_limit.relapses: expected a whole number from 1 to 1000, got 0',
    ],
    [
      'number in env',
      'version: 1\nservices: { a: { env: { PORT: 80 } } }\n',
      'harness.yaml:2:31: services.a.env.PORT: expected a text (a number or true/false must be quoted), got 80',
    ],
    [
      'unknown placeholder',
      'version: 1\nservices: { a: { env: { P: "${HOME}/x" } } }\n',
      'harness.yaml:2:28: services.a.env.P: expected only ${data_dir} or ${env:NAME} as placeholder, not ${HOME}',
    ],
    [
      'secret outside env',
      'version: 1\nservices: { a: { cwd: "${env:X}" } }\n',
      'harness.yaml:2:23: services.a.cwd: expected only ${data_dir} as placeholder here',
    ],
    [
      'bad service name',
      'version: 1\nservices: { Bad Name: {} }\n',
      'harness.yaml:2:13: services.Bad Name: expected 1 to 64 of a-z',
    ],
    [
      'reserved service name',
      'version: 1\nservices: { monitor: {} }\n',
      'harness.yaml:2:13: services.monitor: expected a service name that is not reserved',
    ],
    [
      'bad invariant id',
      INVARIANT.replace('api_up', 'API/up'),
      'harness.yaml:4:9: invariants[0].id: expected 1 to 64 of a-z',
    ],
    [
      'missing query',
      INVARIANT.replace(/ {4}query.*\n/, ''),
      'harness.yaml:4:5: invariants[0].query: missing; expected',
    ],
    [
      'unknown service',
      INVARIANT.replace('service: api', 'service: apy'),
      'harness.yaml:7:14: invariants[0].service: unknown service "apy"; there are: api',
    ],
    [
      'bad condition',
      INVARIANT.replace('status == 200', 'statu == 200'),
      'harness.yaml:6:16: invariants[0].condition: expected a condition such as "status == 200" or "< 200": Unknown variable: statu',
    ],
    [
      'bad scheme',
      INVARIANT.replace('http://', 'ftp://'),
      'harness.yaml:5:12: invariants[0].query: expected a query: http(s)://host/path',
    ],
    ['PromQL', INVARIANT.replace('http://127.0.0.1:1/health', 'up'), 'telemetry, which is not supported yet'],
    [
      'tcp without port',
      INVARIANT.replace('http://127.0.0.1:1/health', 'tcp://localhost'),
      'invariants[0].query: expected tcp://host:port, got "tcp://localhost"',
    ],
    [
      'latency of tcp',
      INVARIANT.replace('http://', 'latency:tcp://'),
      'invariants[0].query: expected a query:',
    ],
    [
      'credentials in the URL',
      INVARIANT.replace('http://', 'http://u:p@'),
      'expected a URL without user and password',
    ],
    [
      'unknown suppressed_by',
      `${INVARIANT}    suppressed_by: [x]\n`,
      'harness.yaml:8:21: invariants[0].suppressed_by[0]: unknown invariant "x"; there are: api_up',
    ],
    ['suppressed by itself', `${INVARIANT}    suppressed_by: [api_up]\n`, '"api_up" cannot suppress itself'],
    [
      'unknown dependency',
      'version: 1\nservices: { a: { depends_on: [b] } }\n',
      'harness.yaml:2:31: services.a.depends_on[0]: unknown service "b"; there are: a',
    ],
    [
      'Claude brain',
      'version: 1\nagent: { brain: gpt }\n',
      'harness.yaml:2:17: agent.brain: expected one of auto, claude, runbook, runbook-first, got "gpt"',
    ],
    [
      'no budget at all',
      'version: 1\nagent: { budget: { usd: 0 } }\n',
      'harness.yaml:2:25: agent.budget.usd: expected a number from 0.01 to 1000, got 0',
    ],
    [
      'address with a scheme',
      'version: 1\ntemporal: { address: "http://t:1" }\n',
      'temporal.address: expected host:port of a Temporal service without a scheme',
    ],
    ['YAML syntax', 'version: 1\nweb: { port: 1\n', 'not valid YAML'],
    [
      'open host without a token',
      'version: 1\nweb: { host: 0.0.0.0 }\n',
      'harness.yaml:2:14: web.host "0.0.0.0" is reachable from other machines and needs a token; set HARNESS_TOKEN',
    ],
  ])('%s', (_name, yaml, expected) => {
    expect(problemsOf(yaml).filter((line) => line.includes(expected))).toHaveLength(1);
  });

  test('a cycle is named once, at the dependency that closes it', () => {
    const yaml =
      'version: 1\nservices:\n  a: { depends_on: [b] }\n  b: { depends_on: [c] }\n  c: { depends_on: [a] }\n';
    expect(problemsOf(yaml)).toEqual([
      'harness.yaml:5:21: services.c.depends_on[0]: services depend on each other in a cycle (a → b → c → a); remove one of these',
    ]);
  });

  test('two invariants with one id, two services with one name', () => {
    const again = INVARIANT.slice(INVARIANT.indexOf('  - id'));
    expect(problemsOf(INVARIANT + again)).toEqual([
      'harness.yaml:8:9: invariants[1].id: duplicate invariant id "api_up" (first used by invariants[0]); rename one',
    ]);
    expect(problemsOf('version: 1\nservices:\n  a: {}\n  a: {}\n')).toEqual([
      'harness.yaml:4:3: duplicate key "a"; keep one of them',
    ]);
  });

  test('all problems are reported at once, in the order of the file', () => {
    const lines = problemsOf(`${INVARIANT.replace('service: api', 'service: nope')}
monitor: { interval: soon }
nonsense: 1
agent: { brain: 7 }
`);
    expect(lines.map((line) => /^harness\.yaml:(\d+:\d+)/.exec(line)?.[1])).toEqual([
      '7:14',
      '9:22',
      '10:1',
      '11:17',
    ]);
  });

  test('the value of a key that sounds secret is not shown', () => {
    const [line] = problemsOf('version: 1\nweb: { token: hunter2 }\n');
    expect(line).toContain('unknown key "token"');
    expect(line).not.toContain('hunter2');
  });

  test('a file that is not there is named together with the way to name another', () => {
    expect(() => loadConfig({ file: 'nowhere.yaml', env: {}, cwd })).toThrow(
      /^nowhere\.yaml: cannot be read \(ENOENT.*--config or HARNESS_CONFIG$/,
    );
  });

  test('an alias that expands without end is an error, not a hang', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefgh'.split('').map((key, index) => {
        const last = 'abcdefg'[index] ?? '';
        return `${key}: &${key} [${Array<string>(9).fill(`*${last}`).join(',')}]`;
      }),
    ].join('\n');
    expect(problemsOf(bomb)[0]).toContain('harness.yaml:1:1: not valid YAML');
  });
});

describe('environment', () => {
  test.each([
    [
      'HARNESS_WEB_PORT',
      '80a',
      'HARNESS_WEB_PORT: expected a port from 0 to 65535 (0 = any free one), got "80a"',
    ],
    ['HARNESS_TEMPORAL_PORT', '70000', 'HARNESS_TEMPORAL_PORT: expected a port'],
    ['HARNESS_LOG_LEVEL', 'loud', 'HARNESS_LOG_LEVEL: expected one of trace, debug,'],
    ['HARNESS_TOKEN', 'short', 'HARNESS_TOKEN: expected at least 16 characters, got 5'],
    ['TEMPORAL_TLS_CLIENT_CERT_PATH', '/does/not/exist', 'TEMPORAL_TLS_CLIENT_CERT_PATH) cannot be read'],
  ])('bad %s is an error', (name, value, expected) => {
    expect(problemsOf('version: 1\n', { [name]: value }).join()).toContain(expected);
  });

  test('an open host with a token is accepted and the token is kept', () => {
    const config = load('version: 1\nweb: { host: 0.0.0.0 }\n', { HARNESS_TOKEN: 'a'.repeat(16) });
    expect(config.web).toEqual({ host: '0.0.0.0', port: 8000, token: 'a'.repeat(16) });
  });
});
