import { createHash } from 'node:crypto';
import type { ServiceConfig } from '../config/config';
import { joinFingerprint } from '../domain/fingerprint';
import type { ServiceStatus } from '../domain/service-state';
import { createEditConfinements, readEditableFiles } from './editable-files';
import type { LookAtPorts } from './port-identity';
import { ownerOfReadyPort } from './port-identity';

/**
 * What somebody would change to repair a service, as one short text: its editable files, its process, who owns its port. Equal
 * texts: nothing of it changed. Null when it cannot be told. Monitor and agent make the same text of the same state. Without
 * statuses (the supervisor is away) it tells of the files alone.
 */
export type TakeFingerprint = (
  service: string,
  statuses: readonly ServiceStatus[] | null,
  signal: AbortSignal,
) => Promise<string | null>;

export function createFingerprint(
  services: readonly ServiceConfig[],
  lookAtPorts: LookAtPorts,
): TakeFingerprint {
  const confinements = createEditConfinements(services);
  return async (name, statuses, signal) => {
    const config = services.find((service) => service.name === name);
    const status = statuses?.find((service) => service.name === name);
    if (!config || (statuses && !status)) return null;
    const found = await readEditableFiles(confinements.get(name), signal);
    const files = hash(found?.map(({ path, sha256, isSkipped }) => [path, sha256, isSkipped]) ?? null);
    if (!statuses || !status) return joinFingerprint({ files, process: '' });
    const owner = ownerOfReadyPort(config, lookAtPorts(statuses)(name));
    return joinFingerprint({ files, process: hash([status.pid, status.startedAt, owner?.pid ?? null]) });
  };
}

function hash(facts: unknown): string {
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
}
