import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from './harness-process';
import { freePort, HarnessWorkspace } from './harness-process';
import { waitFor } from './wait-for';

const SERVICE = join(__dirname, 'services/faulty-service.js');

export type InvariantOf = (port: number) => Json;

/** `status == 200` on /health, unless something else is asked. */
export const health =
  (change: Json = {}): InvariantOf =>
  (port) => ({ query: `http://127.0.0.1:${port}/health`, condition: 'status == 200', ...change });

/**
 * One harness over several faulty services, so that faults which do not disturb each other share it. `invariants` names them:
 * service → invariant ID → definition.
 */
export class FaultyServices {
  readonly ports = new Map<string, number>();
  private constructor(readonly workspace: HarnessWorkspace) {}

  /** `change` is for what only one suite needs in the whole configuration. */
  static async create(
    invariants: Record<string, Record<string, InvariantOf>>,
    change: (config: Json) => void = () => undefined,
  ): Promise<FaultyServices> {
    const ports = new Map<string, number>();
    for (const name of Object.keys(invariants)) ports.set(name, await freePort());
    const port = (name: string) => ports.get(name) ?? 0;
    const workspace = await HarnessWorkspace.create((config) => {
      config['services'] = Object.fromEntries(
        Object.keys(invariants).map((name) => [name, serviceConfig(name, port(name))]),
      );
      config['invariants'] = Object.entries(invariants).flatMap(([service, rules]) =>
        Object.entries(rules).map(([id, define]) => ({
          id,
          name: id,
          description: `${service} is as it should be`,
          service,
          ...define(port(service)),
        })),
      );
      change(config);
    });
    const services = new FaultyServices(workspace);
    for (const [name, number] of ports) services.ports.set(name, number);
    return services;
  }

  url(name: string, path = '/health'): string {
    return `http://127.0.0.1:${this.ports.get(name)}${path}`;
  }

  async tell(name: string, path: string): Promise<void> {
    await fetch(this.url(name, path), { method: 'POST' });
  }

  /** Starts as the service counted them itself. */
  starts(name: string): number {
    const file = join(this.workspace.dataDir, `${name}.starts`);
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0;
  }

  setBootMs(name: string, ms: number): void {
    writeFileSync(join(this.workspace.dataDir, `${name}.boot-ms`), String(ms));
  }

  async pid(name: string): Promise<number> {
    const { body } = await this.workspace.api('GET', '/services');
    const found = (body['items'] as Json[]).find((item) => item['name'] === name);
    if (!found?.['pid']) throw new Error(`${name} has no process: ${JSON.stringify(found)}`);
    return Number(found['pid']);
  }

  async tickets(service: string): Promise<Json[]> {
    return await this.workspace.tickets(`?service=${service}`);
  }

  /** The newest ticket of a service once it is closed, and there are as many as expected. */
  async closedTicket(service: string, nth = 1): Promise<Json> {
    return await waitFor<Json>(
      `ticket ${nth} of ${service} closes`,
      async () => {
        const tickets = await this.tickets(service);
        const [newest] = tickets;
        if (tickets.length >= nth && newest?.['closed_at'] !== null) return newest;
        // What it was last seen as is told when the wait is over.
        const { status, phase, blocked_on: on, escalation } = newest ?? {};
        throw new Error(
          `${tickets.length} tickets, the newest ${JSON.stringify({ status, phase, on, escalation })}`,
        );
      },
      { limitMs: 60_000, everyMs: 50 },
    );
  }

  async blockedTicket(service: string): Promise<Json> {
    const { id } = await waitFor<Json>(
      `the ticket of ${service} asks a person`,
      async () => (await this.tickets(service)).find((ticket) => ticket['status'] === 'blocked'),
      { limitMs: 60_000, everyMs: 100 },
    );
    return (await this.workspace.api('GET', `/tickets/${String(id)}`)).body;
  }
}

function serviceConfig(name: string, port: number): Json {
  return {
    description: name,
    command: [process.execPath, SERVICE],
    env: {
      PORT: String(port),
      STARTS_FILE: `\${data_dir}/${name}.starts`,
      BOOT_MS_FILE: `\${data_dir}/${name}.boot-ms`,
    },
    ready: { url: `http://127.0.0.1:${port}/health`, timeout: '30s' },
    // Faults of one service that stand for separate incidents follow each other within seconds here.
    restart_limit: { relapses: 1_000, within: '1m' },
  };
}
