import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Where the package's own files are: the nearest folder above that holds a package.json. */
export function findPackageRoot(from: string = __dirname): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

export interface BuiltinOptions {
  readonly packageRoot: string;
  /** Port of the rate limiter; 8001 unless something else must not be disturbed. */
  readonly rateLimiterPort?: number;
}

/** The demo configuration that is used when there is no `harness.yaml`, as a file would say it. Paths are absolute. */
export function builtinConfig({ packageRoot, rateLimiterPort = 8_001 }: BuiltinOptions) {
  const url = `http://127.0.0.1:${rateLimiterPort}`;
  const config = '${data_dir}/services/rate_limiter/config.json';
  return {
    version: 1,
    services: {
      rate_limiter: {
        description: 'Token-bucket rate limiter',
        command: [process.execPath, join(packageRoot, 'dist/service/main.js')],
        cwd: packageRoot,
        env: { RATE_LIMITER_PORT: String(rateLimiterPort), RATE_LIMITER_CONFIG: config },
        ready: { url: `${url}/health`, timeout: '30s' },
        stop_timeout: '5s',
        metrics_url: `${url}/metrics`,
        files: { read: [join(packageRoot, 'src/service/**')], edit: [config] },
        depends_on: [],
      },
    },
    invariants: [
      {
        id: 'rate_limiter_healthy',
        name: 'rate_limiter_healthy',
        description: 'Rate limiter responds to health checks',
        query: `http://localhost:${rateLimiterPort}/health`,
        condition: 'status == 200',
        service: 'rate_limiter',
        priority: 'high',
      },
    ],
  };
}
