import { networkInterfaces } from 'node:os';
import type { ServiceConfig } from '../config/config';
import type { SocketAddress } from '../domain/listening-sockets';
import type { PortOwner } from '../domain/port-owner';
import type { ServiceStatus } from '../domain/service-state';
import { PortOwners } from './port-owners';
import type { PortOwnersOptions } from './port-owners';

/** Says who answered a probe; null where that cannot be known, or need not be ours. */
export type OwnerOf = (remote: SocketAddress) => PortOwner | null;

/** Begins one look at this machine's sockets; then, for a service, who answers its probes. */
export type LookAtPorts = (services: Iterable<ServiceStatus>) => (service: string | null) => OwnerOf;

const NOBODY: OwnerOf = () => null;

/**
 * Only the supervisor's own services are identified, on this machine, and only on ports that are their own: those of
 * `ready.url` and `metrics_url`. An invariant may well ask another one, a proxy before the service or what it depends on.
 * Without a `ready.url` every port that its invariants ask counts as its own.
 */
export function createPortIdentity(
  services: readonly ServiceConfig[],
  options: PortOwnersOptions,
): LookAtPorts {
  const configs = new Map(services.map((service) => [service.name, service]));
  return (statuses) => {
    const owners = new PortOwners(options);
    const running = new Map([...statuses].map((status) => [status.name, status]));
    return (name) => {
      const config = name === null ? undefined : configs.get(name);
      const status = name === null ? undefined : running.get(name);
      if (!config?.command || !status || status.state === 'external') return NOBODY;
      const ports = ownPorts(config);
      return (remote) => {
        if ((ports && !ports.has(remote.port)) || !isLocal(remote.ip)) return null;
        return owners.find(remote, status);
      };
    };
  };
}

/** Null: not declared. */
function ownPorts({ ready, metricsUrl }: ServiceConfig): ReadonlySet<number> | null {
  if (ready.url === null) return null;
  return new Set([ready.url, ...(metricsUrl === null ? [] : [metricsUrl])].map(portOf));
}

/** Where a URL of this machine leads without asking a name server; none for other names. */
function addressesOf(text: string): readonly SocketAddress[] {
  const { hostname } = new URL(text);
  const host = hostname.replace(/^\[|\]$/g, '');
  const ips = host === 'localhost' ? ['127.0.0.1', '::1'] : [host];
  return ips.map((ip) => ({ ip, port: portOf(text) }));
}

/** Who listens where the service is to listen, without asking it: a service that died of its taken port answers nothing. */
export function ownerOfReadyPort({ ready }: ServiceConfig, ownerOf: OwnerOf): PortOwner | null {
  if (ready.url === null) return null;
  const found = addressesOf(ready.url).flatMap((address) => ownerOf(address) ?? []);
  return found.find((owner) => !owner.ours) ?? found[0] ?? null;
}

function portOf(text: string): number {
  const url = new URL(text);
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function isLocal(ip: string): boolean {
  if (/^(::ffff:)?127\./i.test(ip) || ip === '::1') return true;
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === ip),
  );
}
