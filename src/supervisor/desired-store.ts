import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../client/error-code';
import { paths } from '../config/paths';
import type { ServiceStatus } from '../domain/service-state';

type Desired = ServiceStatus['desired'];

const file = z.record(z.string(), z.enum(['running', 'stopped']));

/** What people want of each service; kept under the data directory, so that a stopped service stays stopped. */
export class DesiredStore {
  private readonly path: string;
  private readonly wanted: Map<string, Desired>;

  /** Throws, naming the file, when it is there and makes no sense. */
  constructor(dataDir: string) {
    this.path = join(paths.run(dataDir), 'desired.json');
    this.wanted = new Map(Object.entries(readFile(this.path)));
  }

  get(service: string): Desired {
    return this.wanted.get(service) ?? 'running';
  }

  /** On disk when it returns. */
  set(service: string, desired: Desired): void {
    if (this.get(service) === desired) return;
    this.wanted.set(service, desired);
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o700 });
    const temporary = `${this.path}.new`;
    writeFileSync(temporary, `${JSON.stringify(Object.fromEntries(this.wanted), null, 2)}\n`, {
      mode: 0o600,
    });
    renameSync(temporary, this.path);
  }
}

function readFile(path: string): Record<string, Desired> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return {};
    throw error;
  }
  try {
    return file.parse(JSON.parse(text));
  } catch {
    throw new Error(
      `${path} is not what the supervisor writes; delete it (stopped services will start again).`,
    );
  }
}
