import type { ServiceStatus } from '../../domain/service-state';

/** One line on a service, for the brain and for people. */
export function describeService(service: ServiceStatus): string {
  const process =
    service.pid === null
      ? 'no process'
      : `pid ${service.pid}, started ${service.startedAt ?? 'at an unknown time'}`;
  const parts = [
    `${service.name}: ${service.state} (${process})`,
    service.ready ? 'was ready' : 'not ready',
    `wanted: ${service.desired}`,
    `restarts so far: ${service.restarts}`,
  ];
  if (service.exit) {
    const how = service.exit.signal ?? `exit code ${service.exit.code ?? 'unknown'}`;
    parts.push(`last exit: ${how} at ${service.exit.at}`);
  }
  return parts.join('; ');
}
