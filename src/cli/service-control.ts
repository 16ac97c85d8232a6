import type { ControlSnapshot, ServiceAction, ServiceStatus } from '../domain/service-state';
import type { CliContext } from './context';
import { printJson } from './context';
import { CliError, EXIT } from './exit-codes';
import { stateCell } from './paint';
import { table } from './table';
import { age } from './time';

/** What the supervisor runs. With a name: that service only, exit 3 when it is not ready, 4 when unknown. */
export async function serviceStatus(
  context: CliContext,
  name: string | undefined,
  input: { json?: boolean },
): Promise<number> {
  const snapshot = await context.control().snapshot();
  const services = snapshot.services.filter((service) => name === undefined || service.name === name);
  if (name !== undefined && services.length === 0) throw unknownService(name, snapshot);
  if (input.json) printJson(context, { items: services.map(toWire), next_cursor: null });
  else context.out.write(serviceTable(context, services));
  return name !== undefined && services.some((service) => !service.ready) ? EXIT.unhealthy : EXIT.ok;
}

/** Start, stop or restart one service and say what came of it. Exit 1 when it could not be done. */
export async function serviceAct(
  context: CliContext,
  action: ServiceAction,
  name: string,
  input: { json?: boolean },
): Promise<number> {
  const { outcome, service, message, lastLines } = await context
    .control()
    .act({ service: name, action, by: 'person' });
  if (input.json) printJson(context, { outcome, message, last_lines: lastLines, service: toWire(service) });
  else context.out.write(serviceTable(context, [service]));
  context.err.write([message, ...lastLines].map((line) => `${line}\n`).join(''));
  return outcome === 'performed' || outcome === 'noop' ? EXIT.ok : EXIT.failure;
}

/** What a row shows; the API and the supervisor both know it. */
type ServiceRow = Omit<ServiceStatus, 'state' | 'desired'> & {
  readonly state: string;
  readonly desired: string;
};

export function serviceTable({ colors, now }: CliContext, services: readonly ServiceRow[]): string {
  const rows = services.map((service) => [
    service.name,
    stateCell(service.state, colors),
    service.ready ? 'yes' : { text: 'no', paint: colors.yellow },
    service.pid === null ? '-' : String(service.pid),
    service.state === 'running' ? age(service.startedAt, now()) : '-',
    String(service.restarts),
    service.desired,
    exitText(service),
  ]);
  return table(['SERVICE', 'STATE', 'READY', 'PID', 'UP', 'RESTARTS', 'DESIRED', 'LAST EXIT'], rows, colors);
}

function exitText({ exit }: ServiceRow): string {
  if (exit === null) return '-';
  return `${exit.signal ?? `code ${exit.code ?? '?'}`} at ${exit.at}`;
}

function toWire({ startedAt, ...service }: ServiceStatus): Record<string, unknown> {
  return { ...service, started_at: startedAt };
}

function unknownService(name: string, snapshot: ControlSnapshot): CliError {
  const known = snapshot.services.map((service) => service.name).join(', ');
  return new CliError(`there is no service "${name}"; configured: ${known || 'none'}`, EXIT.notFound);
}
