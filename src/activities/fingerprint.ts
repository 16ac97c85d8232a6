import { createHash } from 'node:crypto';
import type { ServiceConfig } from '../config/config';
import { joinFingerprint } from '../domain/fingerprint';
import type { ServiceStatus } from '../domain/service-state';
import { createEditConfinements, readEditableFiles } from './editable-files';
import type { LookAtPorts } from './port-identity';
import { ownerOfReadyPort } from './port-identity';

/**
 * What somebody would change to repair a service, as one short text: its editable files, its process, who owns its port. Equal
 * texts: nothing of it changed. Null when it cannot be told. Monitor and agent make the same text of the same state.
 */
export type TakeFingerprint = (
  service: string,
  statuses: readonly ServiceStatus[],
  signal: AbortSignal,
) => Promise<string | null>;

export function createFingerprint(
  services: readonly ServiceConfig[],
  lookAtPorts: LookAtPorts,
): TakeFingerprint {
  const confinements = createEditConfinements(services);
  return async (name, statuses, signal) => {
    const config = services.find((service) => service.name === name);
    const status = statuses.find((service) => service.name === name);
    if (!config || !status) return null;
    const files = await readEditableFiles(confinements.get(name), signal);
    const owner = ownerOfReadyPort(config, lookAtPorts(statuses)(name));
    return toFingerprint({
      files: files?.map(({ path, sha256, isSkipped }) => [path, sha256, isSkipped]) ?? null,
      process: [status.pid, status.startedAt, owner?.pid ?? null],
    });
  };
}

function toFingerprint({ files, process }: { readonly files: unknown; readonly process: unknown }): string {
  const hash = (facts: unknown): string =>
    createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 16);
  return joinFingerprint({ files: hash(files), process: hash(process) });
}
