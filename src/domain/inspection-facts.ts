import type { Inspection } from './inspection';
import type { Json } from './json';

/** What an acting call is to expect. */
export function identityOf(service: Inspection['service']): Json {
  return service?.pid != null && service.startedAt !== null
    ? { pid: service.pid, started_at: service.startedAt }
    : 'exited';
}

/** One line for the report. */
export function describeInspection(seen: Inspection): string {
  const service = seen.service;
  const state = service
    ? `${service.state}${service.pid === null ? '' : ` (pid ${service.pid}, state ${seen.process?.state ?? '?'})`}`
    : 'not run by the harness';
  const exit =
    service?.exit && service.pid === null
      ? `, ended by ${service.exit.signal ?? `exit code ${service.exit.code}`}`
      : '';
  return `process ${state}${exit}; check: ${seen.invariant ? (seen.invariant.ok ? 'holds' : (seen.invariant.error ?? 'fails')) : 'not probed'}`;
}
